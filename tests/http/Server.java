/*
 * An HTTP server that waits as long as it is asked to. What it answers is known
 * by who asks.
 */
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

public class Server {
	static void slowDatabaseQuery(long ms) {
		try {
			Thread.sleep(ms);
		} catch (InterruptedException e) {
			throw new IllegalStateException(e);
		}
	}

	static void answer(HttpExchange exchange) throws IOException {
		String ms = exchange.getRequestURI().getQuery().substring("ms=".length());
		byte[] body = "slow\n".getBytes();

		slowDatabaseQuery(Long.parseLong(ms));
		exchange.sendResponseHeaders(200, body.length);
		exchange.getResponseBody().write(body);
		exchange.close();
	}

	public static void main(String[] args) throws IOException {
		InetAddress here = InetAddress.getLoopbackAddress();
		HttpServer server = HttpServer.create(new InetSocketAddress(here, 0), 0);

		server.createContext("/", Server::answer);
		server.start();
		System.out.println(String.format("{\"ready\": %d, \"port\": %d}",
						 ProcessHandle.current().pid(),
						 server.getAddress().getPort()));
	}
}
