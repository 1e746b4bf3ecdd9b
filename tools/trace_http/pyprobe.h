/* SPDX-License-Identifier: Apache-2.0 */
/* What http_python_probe() is made of, for tests. */
#ifndef HTTP_PYPROBE_H
#define HTTP_PYPROBE_H

#include <stdint.h>

/*
 * The version of CPython that the path of one of its files tells, as 0x03090000
 * for "/usr/lib/libpython3.9.so.1.0"; 0: none.
 */
uint32_t http_pyprobe_version(const char *path);

#endif
