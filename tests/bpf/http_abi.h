/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Question and answer of tests/bpf/http.bpf.c. */
#pragma once

#include "ebpf/abi/guard.h"

#define HTTP_STREAM_MAX 4096
#define HTTP_VERSIONS_MAX 16

struct http_question {
    __u32 length;
    __u8 bytes[HTTP_STREAM_MAX];
};

struct http_answer {
    struct hw_http http;
    __u32 answered;
    __u32 count;
    __u32 versions[HTTP_VERSIONS_MAX];
};
