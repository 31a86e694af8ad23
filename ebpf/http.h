/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reads the heads of HTTP requests byte by byte, only far enough to say which version of the metadata
 * service's protocol each speaks. C and C++, no maps and no helpers: the kernel runs it, tests compile it.
 *
 * V2: a request in the grammar of RFC 9112 with exactly one X-aws-ec2-metadata-token header whose value is
 *   not empty, or `PUT /latest/api/token`.
 * V1: no line of the head is such a header under any reading: lines may end in LF alone.
 * UNKNOWN: everything else. Folded lines, a space before the colon, control characters, a second token
 *   header, another PUT, HTTP/0.9, a token beside a line that ends in LF alone. Servers differ on those, so
 *   the reader does not guess, and does not follow the connection any further: where the next request
 *   starts is not certain either.
 */
#pragma once

#include "ebpf/abi/guard.h"

#define HW_HTTP_INLINE static inline __attribute__((always_inline))

enum hw_http_flags {
	HW_HTTP_CR = 1,          /* the byte before was CR */
	HW_HTTP_LOOSE = 2,       /* a line ended in LF alone */
	HW_HTTP_PUT = 4,
	HW_HTTP_TOKEN_PATH = 8,
	HW_HTTP_TOKEN_LINE = 16, /* the token header was there */
	HW_HTTP_TOKEN = 32,      /* and its value is not empty */
	HW_HTTP_LENGTH = 64,     /* Content-Length was there */
	HW_HTTP_CHUNKED = 128,   /* Transfer-Encoding was there: chunked, or the connection is lost */
	HW_HTTP_OLD = 256,       /* HTTP/1.0 */
};

enum hw_http_text {
	HW_HTTP_NO_TEXT = 0,
	HW_HTTP_TOKEN_NAME,
	HW_HTTP_LENGTH_NAME,
	HW_HTTP_CODING_NAME,
	HW_HTTP_PUT_TEXT,
	HW_HTTP_PATH_TEXT,
	HW_HTTP_VERSION_TEXT,
	HW_HTTP_CHUNKED_TEXT,
};

#define HW_HTTP_TEXTS 8
#define HW_HTTP_TEXT_MAX 32
#define HW_HTTP_MISMATCH 0xff     /* hw_http.match: the text is another one */
#define HW_HTTP_VERSION_DONE 8    /* hw_http.match behind the last digit of the version */
#define HW_HTTP_LENGTH_MAX 0x0fffffffu /* bytes of a body; more: unknown */
#define HW_HTTP_GAP 0xffffffffu

/* Names in lower case. By enum hw_http_text. */
static const __u8 hw_http_texts[HW_HTTP_TEXTS][HW_HTTP_TEXT_MAX] = {
	"", "x-aws-ec2-metadata-token", "content-length", "transfer-encoding",
	"PUT", "/latest/api/token", "HTTP/1.", "chunked",
};

/* A bound that the compiler must not leave out where a verifier reads the code. */
#ifdef __bpf__
#define HW_HTTP_BOUND(x, mask) asm volatile("%0 &= %1" : "+r"(x) : "i"(mask))
#else
#define HW_HTTP_BOUND(x, mask) ((x) &= (mask))
#endif

HW_HTTP_INLINE __u32 hw_http_text_at(__u64 text, __u64 at)
{
	HW_HTTP_BOUND(text, HW_HTTP_TEXTS - 1);
	HW_HTTP_BOUND(at, HW_HTTP_TEXT_MAX - 1);
	return hw_http_texts[text][at];
}

HW_HTTP_INLINE __u32 hw_http_lose(struct hw_http *h)
{
	h->state = HW_HTTP_LOST;
	return HW_IMDS_UNKNOWN;
}

HW_HTTP_INLINE __u32 hw_http_lower(__u32 b)
{
	return b >= 'A' && b <= 'Z' ? b + ('a' - 'A') : b;
}

/* tchar of RFC 9110 5.6.2, as two words of bits: ASCII only. */
HW_HTTP_INLINE int hw_http_is_token_char(__u32 b)
{
	const __u64 low = 0x03ff6cfa00000000ULL;  /* !#$%&'*+-. 0-9 */
	const __u64 high = 0x57ffffffc7fffffeULL; /* A-Z ^_` a-z | ~ */

	if (b >= 128)
		return 0;
	return ((b < 64 ? low : high) >> (b & 63)) & 1;
}

HW_HTTP_INLINE int hw_http_is_blank(__u32 b)
{
	return b == ' ' || b == '\t';
}

/* Compares the next byte with the text; a text is complete when all of it and nothing more was met. */
HW_HTTP_INLINE void hw_http_match(struct hw_http *h, __u32 text, __u32 b)
{
	__u32 at = h->match;

	if (at < HW_HTTP_TEXT_MAX - 1 && hw_http_text_at(text, at) == b)
		h->match = at + 1;
	else
		h->match = HW_HTTP_MISMATCH;
}

HW_HTTP_INLINE int hw_http_is_complete(const struct hw_http *h, __u32 text)
{
	__u32 at = h->match;

	return at > 0 && at < HW_HTTP_TEXT_MAX && !hw_http_text_at(text, at);
}

HW_HTTP_INLINE __u32 hw_http_version(__u32 flags)
{
	if (flags & HW_HTTP_TOKEN)
		return flags & HW_HTTP_LOOSE ? HW_IMDS_UNKNOWN : HW_IMDS_V2;
	if (flags & HW_HTTP_PUT)
		return flags & HW_HTTP_TOKEN_PATH ? HW_IMDS_V2 : HW_IMDS_UNKNOWN;
	return HW_IMDS_V1;
}

/* What follows an empty line. Only a PUT may have a body: some servers ignore that of a GET and read
 * it as the next request. */
HW_HTTP_INLINE __u32 hw_http_head_end(struct hw_http *h)
{
	__u32 version = hw_http_version(h->flags);
	__u32 flags = h->flags;

	if (version == HW_IMDS_UNKNOWN || ((flags & HW_HTTP_OLD) && (flags & HW_HTTP_CHUNKED)))
		return hw_http_lose(h);
	h->flags = 0;
	h->match = 0;
	if (flags & HW_HTTP_LOOSE)
		h->state = HW_HTTP_UNSURE;
	else if (!(flags & HW_HTTP_CHUNKED) && !h->body_left)
		h->state = HW_HTTP_START;
	else if (!(flags & HW_HTTP_PUT))
		h->state = HW_HTTP_UNSURE;
	else
		h->state = flags & HW_HTTP_CHUNKED ? HW_HTTP_CHUNK_SIZE : HW_HTTP_BODY;
	return version;
}

HW_HTTP_INLINE __u32 hw_http_value_end(struct hw_http *h)
{
	if (h->name == HW_HTTP_LENGTH_NAME && !h->match)
		return hw_http_lose(h);
	if (h->name == HW_HTTP_CODING_NAME && !hw_http_is_complete(h, HW_HTTP_CHUNKED_TEXT))
		return hw_http_lose(h);
	h->state = HW_HTTP_LINE;
	return HW_IMDS_NONE;
}

/* Lines between chunks end in CRLF, nothing else. */
HW_HTTP_INLINE __u32 hw_http_chunk_line_end(struct hw_http *h, __u32 is_strict)
{
	if (!is_strict || (h->state == HW_HTTP_CHUNK_SIZE && !h->match))
		return hw_http_lose(h);
	h->flags = 0;
	h->match = 0;
	switch (h->state) {
	case HW_HTTP_CHUNK_SIZE:
	case HW_HTTP_CHUNK_EXTENSION:
		h->state = h->body_left ? HW_HTTP_CHUNK_DATA : HW_HTTP_TRAILER;
		break;
	case HW_HTTP_CHUNK_END:
		h->state = HW_HTTP_CHUNK_SIZE;
		break;
	case HW_HTTP_TRAILER:
		h->state = HW_HTTP_START;
		break;
	default:
		h->state = HW_HTTP_TRAILER;
		break;
	}
	return HW_IMDS_NONE;
}

HW_HTTP_INLINE __u32 hw_http_line_end(struct hw_http *h)
{
	__u32 is_strict = h->flags & HW_HTTP_CR;

	h->flags &= ~is_strict;
	if (!is_strict)
		h->flags |= HW_HTTP_LOOSE;
	switch (h->state) {
	case HW_HTTP_START:
		h->flags = 0;
		return HW_IMDS_NONE;
	case HW_HTTP_VERSION:
		if (h->match != HW_HTTP_VERSION_DONE)
			return hw_http_lose(h);
		h->state = HW_HTTP_LINE;
		return HW_IMDS_NONE;
	case HW_HTTP_LINE:
		return hw_http_head_end(h);
	case HW_HTTP_VALUE:
		return hw_http_value_end(h);
	case HW_HTTP_CHUNK_SIZE:
	case HW_HTTP_CHUNK_EXTENSION:
	case HW_HTTP_CHUNK_END:
	case HW_HTTP_TRAILER:
	case HW_HTTP_TRAILER_LINE:
		return hw_http_chunk_line_end(h, is_strict);
	default: /* a request line without version, a header without colon */
		return hw_http_lose(h);
	}
}

HW_HTTP_INLINE __u32 hw_http_method_byte(struct hw_http *h, __u32 b)
{
	if (b == ' ' && h->match) {
		if (hw_http_is_complete(h, HW_HTTP_PUT_TEXT))
			h->flags |= HW_HTTP_PUT;
		h->state = HW_HTTP_TARGET;
		h->match = 0;
		return HW_IMDS_NONE;
	}
	if (!hw_http_is_token_char(b))
		return hw_http_lose(h);
	hw_http_match(h, HW_HTTP_PUT_TEXT, b);
	return HW_IMDS_NONE;
}

HW_HTTP_INLINE __u32 hw_http_target_byte(struct hw_http *h, __u32 b)
{
	if (b == '\t' || (b == ' ' && !h->match))
		return hw_http_lose(h);
	if (b != ' ') {
		hw_http_match(h, HW_HTTP_PATH_TEXT, b);
		return HW_IMDS_NONE;
	}
	if (hw_http_is_complete(h, HW_HTTP_PATH_TEXT))
		h->flags |= HW_HTTP_TOKEN_PATH;
	h->state = HW_HTTP_VERSION;
	h->match = 0;
	return HW_IMDS_NONE;
}

HW_HTTP_INLINE __u32 hw_http_version_byte(struct hw_http *h, __u32 b)
{
	if (h->match == HW_HTTP_VERSION_DONE - 1 && (b == '0' || b == '1')) {
		if (b == '0')
			h->flags |= HW_HTTP_OLD;
		h->match = HW_HTTP_VERSION_DONE;
		return HW_IMDS_NONE;
	}
	hw_http_match(h, HW_HTTP_VERSION_TEXT, b);
	if (h->match == HW_HTTP_MISMATCH)
		return hw_http_lose(h);
	return HW_IMDS_NONE;
}

/* Behind the colon: a header that must not come twice, or not beside another. */
HW_HTTP_INLINE __u32 hw_http_value_start(struct hw_http *h)
{
	__u32 added = 0;
	__u32 excluded = 0;

	if (!hw_http_is_complete(h, h->name))
		h->name = HW_HTTP_NO_TEXT;
	if (h->name == HW_HTTP_TOKEN_NAME) {
		added = HW_HTTP_TOKEN_LINE;
		excluded = HW_HTTP_TOKEN_LINE;
	} else if (h->name != HW_HTTP_NO_TEXT) {
		added = h->name == HW_HTTP_LENGTH_NAME ? HW_HTTP_LENGTH : HW_HTTP_CHUNKED;
		excluded = HW_HTTP_LENGTH | HW_HTTP_CHUNKED;
	}
	if (h->flags & excluded)
		return hw_http_lose(h);
	h->flags |= added;
	h->state = HW_HTTP_VALUE;
	h->match = 0;
	return HW_IMDS_NONE;
}

HW_HTTP_INLINE __u32 hw_http_name_byte(struct hw_http *h, __u32 b)
{
	if (b == ':' && h->match)
		return hw_http_value_start(h);
	if (!hw_http_is_token_char(b))
		return hw_http_lose(h);
	hw_http_match(h, h->name, hw_http_lower(b));
	return HW_IMDS_NONE;
}

HW_HTTP_INLINE __u32 hw_http_name_start(struct hw_http *h, __u32 b)
{
	__u32 first = hw_http_lower(b);

	h->name = HW_HTTP_NO_TEXT;
	if (first == 'x')
		h->name = HW_HTTP_TOKEN_NAME;
	else if (first == 'c')
		h->name = HW_HTTP_LENGTH_NAME;
	else if (first == 't')
		h->name = HW_HTTP_CODING_NAME;
	h->state = HW_HTTP_NAME;
	h->match = 0;
	return hw_http_name_byte(h, b);
}

/* Digits, then blanks at most. match: 0 nothing yet, 1 digits, 2 behind them. */
HW_HTTP_INLINE __u32 hw_http_length_byte(struct hw_http *h, __u32 b)
{
	if (hw_http_is_blank(b)) {
		if (h->match)
			h->match = 2;
		return HW_IMDS_NONE;
	}
	if (b < '0' || b > '9' || h->match == 2)
		return hw_http_lose(h);
	h->match = 1;
	h->body_left = h->body_left * 10 + (b - '0');
	if (h->body_left > HW_HTTP_LENGTH_MAX)
		return hw_http_lose(h);
	return HW_IMDS_NONE;
}

HW_HTTP_INLINE __u32 hw_http_coding_byte(struct hw_http *h, __u32 b)
{
	if (hw_http_is_blank(b) && (!h->match || hw_http_is_complete(h, HW_HTTP_CHUNKED_TEXT)))
		return HW_IMDS_NONE;
	hw_http_match(h, HW_HTTP_CHUNKED_TEXT, hw_http_lower(b));
	if (h->match == HW_HTTP_MISMATCH)
		return hw_http_lose(h);
	return HW_IMDS_NONE;
}

HW_HTTP_INLINE __u32 hw_http_value_byte(struct hw_http *h, __u32 b)
{
	if (h->name == HW_HTTP_LENGTH_NAME)
		return hw_http_length_byte(h, b);
	if (h->name == HW_HTTP_CODING_NAME)
		return hw_http_coding_byte(h, b);
	if (h->name == HW_HTTP_TOKEN_NAME && !hw_http_is_blank(b))
		h->flags |= HW_HTTP_TOKEN;
	return HW_IMDS_NONE;
}

HW_HTTP_INLINE __u32 hw_http_chunk_size_byte(struct hw_http *h, __u32 b)
{
	__u32 digit = hw_http_lower(b);

	if (h->match && (b == ';' || hw_http_is_blank(b))) {
		h->state = HW_HTTP_CHUNK_EXTENSION;
		return HW_IMDS_NONE;
	}
	if (digit >= '0' && digit <= '9')
		digit -= '0';
	else if (digit >= 'a' && digit <= 'f')
		digit -= 'a' - 10;
	else
		return hw_http_lose(h);
	h->match = 1;
	if (h->body_left > HW_HTTP_LENGTH_MAX >> 4)
		return hw_http_lose(h);
	h->body_left = h->body_left * 16 + digit;
	return HW_IMDS_NONE;
}

HW_HTTP_INLINE __u32 hw_http_body_byte(struct hw_http *h)
{
	h->body_left--;
	if (!h->body_left)
		h->state = h->state == HW_HTTP_BODY ? HW_HTTP_START : HW_HTTP_CHUNK_END;
	return HW_IMDS_NONE;
}

/* A byte that ends no line. */
HW_HTTP_INLINE __u32 hw_http_line_byte(struct hw_http *h, __u32 b)
{
	switch (h->state) {
	case HW_HTTP_START:
		h->state = HW_HTTP_METHOD;
		h->match = 0;
		h->body_left = 0;
		return hw_http_method_byte(h, b);
	case HW_HTTP_METHOD:
		return hw_http_method_byte(h, b);
	case HW_HTTP_TARGET:
		return hw_http_target_byte(h, b);
	case HW_HTTP_VERSION:
		return hw_http_version_byte(h, b);
	case HW_HTTP_LINE:
		return hw_http_name_start(h, b);
	case HW_HTTP_NAME:
		return hw_http_name_byte(h, b);
	case HW_HTTP_VALUE:
		return hw_http_value_byte(h, b);
	case HW_HTTP_CHUNK_SIZE:
		return hw_http_chunk_size_byte(h, b);
	case HW_HTTP_CHUNK_EXTENSION:
	case HW_HTTP_TRAILER_LINE:
		return HW_IMDS_NONE;
	case HW_HTTP_TRAILER:
		h->state = HW_HTTP_TRAILER_LINE;
		return HW_IMDS_NONE;
	default: /* behind a chunk */
		return hw_http_lose(h);
	}
}

/* Reads one byte. Not HW_IMDS_NONE: a request is complete (or lost), this is what it was. */
HW_HTTP_INLINE __u32 hw_http_byte(struct hw_http *h, __u32 b)
{
	if (h->state == HW_HTTP_LOST)
		return HW_IMDS_NONE;
	if (h->state == HW_HTTP_UNSURE)
		return hw_http_lose(h);
	if (h->state == HW_HTTP_BODY || h->state == HW_HTTP_CHUNK_DATA)
		return hw_http_body_byte(h);
	if (b == '\n')
		return hw_http_line_end(h);
	if ((h->flags & HW_HTTP_CR) || (b < ' ' && b != '\r' && b != '\t') || b == 0x7f)
		return hw_http_lose(h);
	if (b == '\r') {
		h->flags |= HW_HTTP_CR;
		return HW_IMDS_NONE;
	}
	return hw_http_line_byte(h, b);
}

/* The stream is over: a head that will never be complete may be answered all the same. */
HW_HTTP_INLINE __u32 hw_http_end(struct hw_http *h)
{
	if (h->state >= HW_HTTP_METHOD && h->state <= HW_HTTP_VALUE)
		return hw_http_lose(h);
	return HW_IMDS_NONE;
}

/* The sequence number of the SYN. One that is sent again changes nothing: its data may have been read. */
HW_HTTP_INLINE void hw_http_open(struct hw_http *h, __u32 sequence)
{
	if (h->is_synced)
		return;
	h->is_synced = 1;
	h->next_sequence = sequence + 1;
}

/* How many of the segment's bytes were read before, HW_HTTP_GAP if some before it never were. The rest
 * counts as read from here on. */
HW_HTTP_INLINE __u32 hw_http_segment(struct hw_http *h, __u32 sequence, __u32 length)
{
	__u32 known = h->next_sequence - sequence;

	if (!h->is_synced || known > 0x7fffffffu)
		return HW_HTTP_GAP;
	if (known >= length)
		return length;
	h->next_sequence += length - known;
	return known;
}
