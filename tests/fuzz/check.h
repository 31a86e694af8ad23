// SPDX-License-Identifier: Apache-2.0
// What a fuzz target says when a property does not hold.
#pragma once

#include <cstdio>
#include <cstdlib>

/// Ends the process, which the fuzzer reports with its input.
#define FUZZ_CHECK(condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                  \
            std::abort();                                                                                              \
        }                                                                                                              \
    } while (false)
