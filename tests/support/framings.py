"""HTTP requests that two readers may read differently, or that are none."""

from __future__ import annotations

__all__ = ["framings"]

Rows = dict[str, tuple[bytes, set[int]]]


def framings(body: bytes) -> Rows:
    """By name, a request that has ``body`` in it where it has one, and the statuses that it may get: 0 for a connection
    that is closed without one."""
    size = b"%d" % len(body)
    kind = b"Content-Type: application/pkixcmp\r\n"
    host = b"Host: x\r\n"
    bad, good = {400}, {200}

    def request(
        *lines: bytes, line: bytes = b"POST /x HTTP/1.1", data: bytes = body, usual: bytes = host + kind
    ) -> bytes:
        return line + b"\r\n" + usual + b"".join(text + b"\r\n" for text in lines) + b"\r\n" + data

    def sized(line: bytes) -> bytes:
        return request(b"Content-Length: " + size, line=line)

    def length(value: bytes) -> bytes:
        return request(b"Content-Length: " + value)

    def chunked(*pieces: bytes, coding: bytes = b"chunked") -> bytes:
        return request(b"Transfer-Encoding: " + coding, data=b"".join(pieces))

    whole = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)

    def chunk_size(text: bytes) -> bytes:
        return chunked(text + b"\r\n" + body + b"\r\n0\r\n\r\n")

    sized_host = b"Content-Length: " + size
    return {
        # the request line
        "minus in method": (sized(b"PO-ST /x HTTP/1.1"), {405}),
        "method in small letters": (sized(b"post /x HTTP/1.1"), {405}),
        "colon in method": (sized(b"P:ST /x HTTP/1.1"), bad),
        "no method": (sized(b" /x HTTP/1.1"), bad),
        "no target": (sized(b"POST HTTP/1.1"), bad),
        "empty target": (sized(b"POST  HTTP/1.1"), bad),
        "two spaces": (sized(b"POST  /x HTTP/1.1"), bad),
        "tab for space": (sized(b"POST\t/x\tHTTP/1.1"), bad),
        "space behind": (sized(b"POST /x HTTP/1.1 "), bad),
        "space in target": (sized(b"POST /x y HTTP/1.1"), bad),
        "space before": (sized(b" POST /x HTTP/1.1"), bad),
        "empty line before": (b"\r\n" + sized(b"POST /x HTTP/1.1"), good),
        "NUL in target": (sized(b"POST /\0 HTTP/1.1"), bad),
        "non-ASCII target": (sized(b"POST /\xc3\xa4 HTTP/1.1"), {200, 400}),
        "absolute URI": (sized(b"POST http://x/.well-known/cmp HTTP/1.1"), good),
        "absolute URI without path": (sized(b"POST http://x HTTP/1.1"), good),
        "absolute URI with a broken host": (sized(b"POST http://[::1/x HTTP/1.1"), bad),
        "two slashes": (sized(b"POST //x//y HTTP/1.1"), good),
        "asterisk": (request(line=b"OPTIONS * HTTP/1.1", data=b""), {405}),
        "CONNECT": (request(line=b"CONNECT x:443 HTTP/1.1", data=b""), {405}),
        "very long URI": (sized(b"POST /" + b"x" * 20_000 + b" HTTP/1.1"), {0, 400, 414, 431}),
        # versions
        "HTTP/0.9": (b"GET /\r\n\r\n", bad),
        "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", bad),
        "HTTP/1.2": (sized(b"POST /x HTTP/1.2"), {200, 400, 505}),
        "HTTP/3.0": (sized(b"POST /x HTTP/3.0"), {400, 505}),
        "version in small letters": (sized(b"POST /x http/1.1"), bad),
        "version with more": (sized(b"POST /x HTTP/1.1x"), bad),
        "version with two digits": (sized(b"POST /x HTTP/1.10"), bad),
        "version without minor": (sized(b"POST /x HTTP/1"), bad),
        "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", bad),
        "SSH": (b"SSH-2.0-x\r\n\r\n", bad),
        "garbage": (b"\xff\xfe\r\n\r\n", bad),
        # Host
        "no Host": (request(sized_host, usual=kind), bad),
        "two Hosts": (request(sized_host, b"Host: y"), bad),
        "no Host in HTTP/1.0": (request(sized_host, line=b"POST /x HTTP/1.0", usual=kind), good),
        # header lines
        "space before colon": (request(b"Content-Length : " + size), bad),
        "tab before colon": (request(b"Content-Length\t: " + size), bad),
        "no colon": (request(sized_host, b"Content"), bad),
        "no name": (request(sized_host, b": x"), bad),
        "space in name": (request(sized_host, b"X Y: z"), bad),
        "bracket in name": (request(sized_host, b"X(: z"), bad),
        "folded line": (request(sized_host, b"X: y", b" z"), bad),
        "folded length": (request(b"Content-Length:", b" " + size), bad),
        "folded first line": (request(sized_host, usual=b" " + host + kind), bad),
        "bare CR in value": (request(sized_host, b"X: y\rContent-Length: 0"), bad),
        "NUL in value": (request(sized_host, b"X: y\0z"), bad),
        "NUL in name": (request(sized_host, b"X\0: y"), bad),
        "escape in value": (request(sized_host, b"X: \x1b[2J"), bad),
        "bare CR as line end": (sized(b"POST /x HTTP/1.1").replace(b"\r\n", b"\r", 5), {0, 400}),
        "bare LF as line end": (request(sized_host, data=b"").replace(b"\r\n", b"\n") + body, {200, 400}),
        "underscore for minus": (request(b"Content_Length: " + size), {400, 411}),
        "very long line": (request(sized_host, b"X: " + b"x" * 20_000), {0, 400, 431}),
        "very many lines": (request(sized_host, *[b"X: y"] * 4_000), {0, 400, 431}),
        # Content-Length
        "no length": (request(), {400, 411}),
        "same length twice": (request(sized_host, sized_host), {200, 400}),
        "same length in a list": (length(size + b", " + size), {200, 400}),
        "two lengths": (request(sized_host, b"Content-Length: 1"), bad),
        "two lengths in a list": (length(size + b",1"), bad),
        "length with underscore": (length(b"1_0"), bad),
        "length with plus": (length(b"+" + size), bad),
        "length with minus": (length(b"-" + size), bad),
        "length with a space": (length(b"1 0"), bad),
        "length in hex": (length(b"0x10"), bad),
        "length with point": (length(size + b".0"), bad),
        "length with exponent": (length(b"1e2"), bad),
        "empty length": (length(b""), bad),
        "length as a quoted string": (length(b'"' + size + b'"'), bad),
        "length in other digits": (length("\uff11\uff10".encode()), bad),
        "length as superscript": (length(b"\xb2"), bad),
        "length of 2^64": (length(b"%d" % (1 << 64)), {400, 413}),
        "length of 2^63": (length(b"%d" % (1 << 63)), {400, 413}),
        "length of 5000 digits": (length(b"9" * 5000), {400, 413}),
        "length of a gigabyte": (length(b"%d" % (1 << 30)), {413}),
        # Transfer-Encoding
        "chunked": (chunked(whole), good),
        "chunked in large letters": (chunked(whole, coding=b"CHUNKED"), {200, 400}),
        "chunked and a length": (request(sized_host, b"Transfer-Encoding: chunked", data=whole), bad),
        "chunked twice": (chunked(whole, coding=b"chunked, chunked"), {400, 501}),
        "chunked in two lines": (request(*[b"Transfer-Encoding: chunked"] * 2, data=whole), {400, 501}),
        "gzip and chunked": (chunked(whole, coding=b"gzip, chunked"), {400, 501}),
        "chunked and identity": (chunked(whole, coding=b"chunked, identity"), {400, 501}),
        "identity": (chunked(whole, coding=b"identity"), {400, 501}),
        "unknown coding": (chunked(whole, coding=b"xchunked"), {400, 501}),
        "coding with a parameter": (chunked(whole, coding=b"chunked;q=1"), {400, 501}),
        "coding behind a vertical tab": (chunked(whole, coding=b"\x0bchunked"), {400, 501}),
        "quoted coding": (chunked(whole, coding=b'"chunked"'), {400, 501}),
        "empty coding": (chunked(whole, coding=b""), {400, 501}),
        "chunked in HTTP/1.0": (
            request(b"Transfer-Encoding: chunked", line=b"POST /x HTTP/1.0", data=whole),
            {200, 400},
        ),
        # chunks
        "chunk with extension": (chunk_size(b"%x;a=b" % len(body)), {200, 400}),
        "chunk with a long extension": (chunk_size(b"%x;" % len(body) + b"a" * 20_000), {0, 400}),
        "chunk with zeros before": (chunk_size(b"000%x" % len(body)), {200, 400}),
        "chunk size that is none": (chunk_size(b"zz"), bad),
        "chunk size with 0x": (chunk_size(b"0x%x" % len(body)), bad),
        "chunk size with plus": (chunk_size(b"+%x" % len(body)), bad),
        "chunk size with minus": (chunk_size(b"-1"), bad),
        "chunk size with underscore": (chunk_size(b"1_0"), bad),
        "space before chunk size": (chunk_size(b" %x" % len(body)), bad),
        "space behind chunk size": (chunk_size(b"%x " % len(body)), {200, 400}),
        "no chunk size": (chunk_size(b""), bad),
        "chunk size of 2^72": (chunk_size(b"1" + b"0" * 18), {400, 413}),
        "chunk size of 2^63": (chunk_size(b"8" + b"0" * 15), {400, 413}),
        "chunk that goes on": (chunked(b"%x\r\n%bxx\r\n0\r\n\r\n" % (len(body), body)), bad),
        "chunk behind a bare LF": (chunked(b"%x\n%b\n0\n\n" % (len(body), body)), {0, 400}),
        "trailer": (chunked(whole[:-2] + b"X: y\r\n\r\n"), {200, 400}),
        "no last chunk": (chunked(whole[:-5] + b"\r\n\r\n"), bad),
    }
