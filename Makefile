# netbcc: make, make check, make bench, make lint, make install. V=1 shows the
# commands, SAN=1 builds with ASan and UBSan (under build/san), WERROR=1 makes
# warnings errors.
VERSION := 0.1.0
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/libexec/netbcc
MANDIR ?= $(PREFIX)/share/man

TOOLS := delay_analysis_in delay_analysis_out nic_throughput tcp_inerrs \
	tcpconnection tcptop trace_http
B := build$(if $(SAN),/san)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

CFLAGS ?= -O2 -g
NB_CFLAGS := -std=gnu11 -D_GNU_SOURCE -DNB_VERSION='"$(VERSION)"' \
	-DNB_LIBEXECDIR='"$(LIBEXECDIR)"' -Ilib -MMD -MP \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wformat=2 -Wvla -Wno-missing-field-initializers
ifneq ($(WERROR),)
NB_CFLAGS += -Werror
endif
ifneq ($(SAN),)
NB_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
else
NB_CFLAGS += -D_FORTIFY_SOURCE=2
endif

LIB := $(patsubst %.c,$(B)/%.o,$(wildcard lib/*.c))
CC_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard lib/cc/*.c)) $(B)/lib/image.o \
	$(B)/lib/field.o
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*_test.c))
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*.c))
WORK := $(patsubst tests/work/%.c,$(B)/work/%,$(filter-out %.bpf.c,\
	$(wildcard tests/work/*.c)))
BINS := $(TOOLS:%=$(B)/bin/%)

# What a command, or a test of its, links besides.
LIBS_trace_http := -ldw -lelf -liberty
LIBS_http_elf_fuzz := $(LIBS_trace_http)
LIBS_http_native_test := $(B)/libnetbcc.a $(LIBS_trace_http)

objects_of = $(patsubst %.c,$(B)/%.o,$(filter-out %.bpf.c,$(wildcard tools/$(1)/*.c)))

all: $(BINS) $(B)/libexec/netbcc-cc $(B)/libexec/stub/.done

# A command is all the C files of its folder, and its eBPF text.
.SECONDEXPANSION:
$(B)/bin/%: $$(call objects_of,$$*) $(B)/tools/%.text.o $(B)/libnetbcc.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(NB_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lbpf -lcap-ng -lpthread \
		$(LIBS_$*)

$(B)/libnetbcc.a: $(LIB)
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# The eBPF text with its includes in place, then as an object of read-only data.
$(B)/tools/%.text: tools/%/$$*.bpf.c $$(wildcard tools/$$*/*.h lib/bpf/*.h) scripts/flatten
	$(call say,FLATTEN,$@)
	@mkdir -p $(@D)
	$(Q)scripts/flatten $< > $@.tmp && mv $@.tmp $@

$(B)/tools/%.text.o: $(B)/tools/%.text lib/text.S
	$(call say,EMBED,$@)
	$(Q)$(CC) $(CFLAGS) -DTEXT_NAME=nb_text_$* -DTEXT_FILE='"$<"' \
		-c -o $@ lib/text.S

$(B)/libexec/netbcc-cc: $(CC_OBJ)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(NB_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lbcc -lbpf

STUB := $(shell find lib/cc/stub -name '*.h')
$(B)/libexec/stub/.done: $(STUB)
	$(call say,COPY,$(@D))
	@rm -rf $(@D) && mkdir -p $(@D)
	$(Q)cp -R lib/cc/stub/. $(@D) && touch $@

$(B)/%.o: %.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(NB_CFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/unit/%: $(B)/tests/unit/%.o $(B)/libnetbcc.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(NB_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lbpf -lcap-ng -lpthread \
		$(LIBS_$*)

HTTP_NATIVE := binary demangle frames jitname jitsort lines mapline maps module \
	native perfmap process segments symbols symtab unwind
$(B)/unit/http_native_test: $(HTTP_NATIVE:%=$(B)/tools/trace_http/%.o)
$(B)/fuzz/http_elf_fuzz: $(patsubst %,$(B)/tools/trace_http/%.o,binary \
	demangle lines mapline maps module segments symbols symtab unwind)
$(B)/fuzz/http_maps_fuzz: \
	$(patsubst %,$(B)/tools/trace_http/%.o,jitname jitsort mapline perfmap)

$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(B)/libnetbcc.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(NB_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lbpf -lcap-ng -lpthread \
		$(LIBS_$*)

$(B)/tests/work/httpload.o: NB_CFLAGS += -fno-omit-frame-pointer
$(B)/tests/work/httpload_nofp.o: NB_CFLAGS += -fomit-frame-pointer

$(B)/work/%: $(B)/tests/work/%.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(NB_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lpthread

# This one is made of what it needs of a command.
$(B)/libtrace_http.a: $(call objects_of,trace_http)
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/work/pywalk: $(B)/tests/work/pywalk.o $(B)/libtrace_http.a $(B)/libnetbcc.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(NB_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lbpf -lcap-ng \
		-lpthread $(LIBS_trace_http)

unit: $(UNIT) $(FUZZ)
work: $(WORK)

# Unit tests and the fuzzer always run under the sanitizers.
check: all work
	$(Q)$(MAKE) --no-print-directory SAN=1 unit
	$(Q)scripts/check

bench: all work
	$(Q)tests/bench/startup
	$(Q)tests/bench/losses
	$(Q)tests/bench/inerrs
	$(Q)tests/bench/nic
	$(Q)tests/bench/delays in
	$(Q)tests/bench/delays out
	$(Q)tests/bench/tcptop
	$(Q)tests/bench/http
	$(Q)tests/bench/tcptop --only bcc
	$(Q)tests/bench/delays in --only bcc
	$(Q)tests/bench/delays out --only bcc
	$(Q)tests/bench/vm

lint:
	$(Q)scripts/lint

compdb:
	$(Q)bear --output build/compile_commands.json -- $(MAKE) -B all

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) \
		$(DESTDIR)$(MANDIR)/man8
	install $(BINS) $(DESTDIR)$(BINDIR)
	install $(B)/libexec/netbcc-cc $(DESTDIR)$(LIBEXECDIR)
	cp -R lib/cc/stub $(DESTDIR)$(LIBEXECDIR)
	install -m 644 $(TOOLS:%=man/%.8) $(DESTDIR)$(MANDIR)/man8

uninstall:
	rm -f $(TOOLS:%=$(DESTDIR)$(BINDIR)/%) \
		$(TOOLS:%=$(DESTDIR)$(MANDIR)/man8/%.8)
	rm -rf $(DESTDIR)$(LIBEXECDIR)

clean:
	rm -rf build

.PHONY: all unit work check bench lint compdb install uninstall clean
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
