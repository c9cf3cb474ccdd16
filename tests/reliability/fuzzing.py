"""Malformed requests from a seeded random generator.

They go to the WSGI application unchanged: a body may be shorter or longer than announced, a header may contain any
byte, and a path need not be text.
"""

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_from_bytes

FIELDS = {
    "first_name": ["Ann", "Şebnem", "O’Connor", ""],
    "last_name": ["Lee", "van der Berg", "李"],
    "email": ["ann@example.org", "eve@bücher.example.org", "a.n.n+x@gmail.com"],
    "cases": ["river", "lake", "forest", "nope"],
    "birth_date": ["27.3.1985", "1985-03-27"],
    "newsletter": ["y", ""],
    "receipt": ["y", ""],
    "email_asked": ["", "eve@gmial.com"],
    "unnamed": ["y", ""],
    "of_age": ["y", ""],
    "pass_code": ["", "bcdfx"],
    "remark": ["", "", "", "x"],
    "elapsed": ["", "1", "99999"],
    "proof": [""],
    "code": ["123456", "١٢٣٤٥٦"],
    "language": ["fr", "en", "xx"],
    "name": ["carla", "nobody"],
    "password": ["correct horse battery staple", "guess"],
    "campaign": ["water-2026", "nope"],
    "words": ["3f2a-11bc-9d0e-77aa-0001"],
    "number": ["1", "2", "999999999"],
    "title": ["A school"],
    "pupils": ["", "22"],
    "act": ["begin", "stop", "sent", "refuse", "open", "end", "freeze", "draw"],
    "recipient": ["Ann Lee"],
    "address": ["1, Main Street\r\nTown", ""],
    "ends_on": ["2026-11-30", ""],
    "kind": ["class", "program"],
    "way": ["phone", "x"],
    "session": ["", "00"],
    "most": ["40", "2001"],
    **{name: ["", "2026-12-10T09:30"] for name in ("opens_at", "closes_at", "signed_from", "signed_until")},
    "source": ["direct"],
    "collector_id": ["", "1"],
    "state": ["confirmed", "held"],
    "reason": ["A try"],
    "action": ["lift", "stop"],
}
NASTY: list[bytes] = [
    *(b"\0", b"a\0b", b"\r\nBcc: x", b"\x1b[31m", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xff\xfe", b"\xc0\xaf", b"\x80"),
    *(b"\xf4\x90\x80\x80", "\u202e\u2066".encode(), "\ufeff\u200b".encode(), "\U0010ffff\ue000".encode(), b"%00", b"%"),
    *(
        b"-1",
        b"0",
        b"9" * 9,
        b"9" * 300,
        b"1e309",
        b"NaN",
        b"2147483648",
        b"9223372036854775808",
        "٣".encode(),
        "²".encode(),
    ),
    *(b"0001-01-01T00:00", b"9999-12-31T23:59", b"2026-12-10T09:30+99:99", b"2026-W01", b"1.1.0001", b"31.12.9999"),
    *(b"' OR 1=1 --", b"{{7*7}}", b"%s%n", b"<script>", b"../../etc/passwd", b"\\", b'"', b"a" * 255, b"a" * 5_000),
    *(b"a@" + b"b." * 120 + b"c", b"@", b"a@b@c.de", b"a@[::1]", "é@É.example".encode(), b"a@xn--.org", b"a@xn--a.org"),
    *(
        "e\u0301".encode() * 200,
        "\u0335".encode() * 50,
        "🏴\U000e0067".encode(),
        "\ufdfa".encode() * 60,
        b"",
        b" " * 90,
    ),
]
HEADERS: dict[str, list[str]] = {
    "HTTP_ORIGIN": [
        "http://localhost",
        "null",
        "http://evil.example",
        "",
        "\xff\xfe",
        "http://[",
        "http://localhost, x",
    ],
    "HTTP_HOST": [
        "localhost",
        "evil.example",
        "",
        "local\xffhost",
        "localhost:99999",
        "[::1",
        "a" * 300,
        "localhost,b",
    ],
    "HTTP_X_FORWARDED_FOR": [
        "1.2.3.4",
        "999.1.1.1",
        "::1%lo",
        "2001:db8::1",
        ",,,",
        "\xff\x00",
        "1.2.3.4, " * 200,
        "[::1]:80",
    ],
    "HTTP_X_FORWARDED_PROTO": ["https", "ht tp", "", "\xff", "javascript"],
    "HTTP_ACCEPT_LANGUAGE": [
        "fr",
        "*;q=NaN",
        ";;q=,,",
        "zz-" * 400,
        "\xff\xfe",
        "fr;q=1e400",
        "en_US@x",
        "fr-\0",
        "q=1",
    ],
    "HTTP_COOKIE": [
        "petitions=x",
        "petitions=;;;=",
        "\xff=\xfe",
        "a=" + "b" * 5_000,
        'petitions="\\',
        "petitions=a.b.c",
    ],
    "HTTP_AUTHORIZATION": ["Bearer \xff", "Basic ====", "Bearer", "Digest x=", "Basic \x00"],
    "HTTP_ACCEPT_ENCODING": ["gzip;q=abc", "*;q=-1", "\xff", "gzip, " * 300],
    "HTTP_IF_NONE_MATCH": ['W/"x', "*", '"' * 500],
    "HTTP_IF_MODIFIED_SINCE": ["yesterday", "Thu, 99 Foo 99999 99:99:99 GMT"],
    "HTTP_RANGE": ["bytes=0-0", "bytes=-", "items=x"],
    "HTTP_HX_REQUEST": ["true", "\xff"],
    "HTTP_CONTENT_ENCODING": ["gzip", "x"],
    "HTTP_X_HTTP_METHOD_OVERRIDE": ["DELETE"],
    "HTTP_TRANSFER_ENCODING": ["chunked", "x"],
    "HTTP_USER_AGENT": ["\xff" * 300, ""],
    "CONTENT_LENGTH": ["", "-1", "abc", "99999999999999999999", "0", "1e3", " 5", "٣".encode().decode("latin-1")],
    "QUERY_STRING": ["%ff=%00", "a" * 7_000, "&&==", "pass=%00", "done=\xff", "done[]=x"],
}
TYPES = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "application/json", "text/plain"]
ODD_TYPES = [
    *("", "/", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "b" * 300),
    *("multipart/form-data; boundary=\xff", "application/x-www-form-urlencoded; charset=utf-7", "a" * 3_000),
    *(
        "application/json; charset=utf-16",
        "multipart/mixed; boundary=b",
        "application/x-www-form-urlencoded; charset=\0",
    ),
]


@dataclass
class Request:
    """One request; `environ` may still be changed."""

    environ: dict[str, Any]
    body: bytes


class Fuzzer:
    """Makes requests. `given` are fields that make a request pass the first doors (a session's token), mostly sent."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - it is to be the same each time
        self._spoilt = 0.0  # how many of the present request's values are
        self._victim, self._poison = "", b""  # or the one that is, and by what
        self.bodies: list[Callable[[dict[str, str]], tuple[bytes, str]]] = [
            *(self._form, self._form, self._form, self._multipart, self._multipart),
            *(self._noise, self._broken_form, self._json, self._crowd),
        ]

    def request(self, path: bytes, given: dict[str, str], headers: dict[str, str]) -> Request:
        """A POST to `path` that is wrong in one way or in several."""
        self._spoilt = self.dice.choice([0, 0, 0, 0.03, 0.3])
        self._victim, self._poison = "", b""
        if not self._spoilt and self.dice.random() < 0.8:  # all is well but for one field, or one thing is everywhere
            self._victim = self.dice.choice(["every", "email", "name", *FIELDS])
            self._poison = self.dice.choice([b"\0", b"a\0b", *NASTY])
        body, content_type = self.dice.choice(self.bodies[:5] if self._victim else self.bodies)(given)
        if self.dice.random() < 0.1 and not self._victim:
            content_type = self.dice.choice([*TYPES, *ODD_TYPES])
        environ = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": path.decode("latin-1"),
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": "localhost",
            "HTTP_SEC_FETCH_SITE": "same-origin",
            "HTTP_X_FORWARDED_FOR": f"10.{'.'.join(str(self.dice.randrange(256)) for _ in range(3))}",
            **headers,
        }
        if self.dice.random() < 0.1 and not self._victim:
            environ["HTTP_SEC_FETCH_SITE"] = self.dice.choice(["cross-site", "none", "", "\xff", "same-origin, none"])
        if self.dice.random() < 0.1 and not self._victim:
            del environ["HTTP_SEC_FETCH_SITE"]
        most = [0] if self._victim else [0, 1, 1, 2, 5]
        for name in self.dice.sample(sorted(HEADERS), self.dice.choice(most)):
            environ[name] = self.dice.choice(HEADERS[name])
        return Request(environ, body)

    def value(self, name: str) -> bytes:
        """What could stand in the field, or something spoilt."""
        if not self._spoilt and name != "email":
            kept = FIELDS[name][0].encode()
            return kept + self._poison if self._victim in ("every", name) else kept
        kept = self.dice.choice(FIELDS.get(name, ["x"])).encode()
        if name == "email" and self.dice.random() < 0.7:
            kept = f"fuzz{self.dice.randrange(10_000)}@example.org".encode()
        if name == "proof" and self.dice.random() < 0.5:
            kept = self._proof()
        if not self._spoilt:
            return kept + self._poison if self._victim in ("every", name) else kept
        if self.dice.random() > self._spoilt:
            return kept
        bad = self.dice.choice(NASTY)
        place = self.dice.randrange(len(kept) + 1)
        return self.dice.choice([bad, kept[:place] + bad + kept[place:], kept * 30, bytes(reversed(kept))])

    def _pairs(self, given: dict[str, str]) -> list[tuple[bytes, bytes]]:
        names = [name for name in FIELDS if name not in given and self.dice.random() < 0.9]
        pairs = [
            (name.encode(), self.value(name)) for name in names for _ in range(self.dice.choice([1, 1, 1, 1, 2, 3]))
        ]
        pairs += [(name.encode(), value.encode()) for name, value in given.items() if self.dice.random() < 0.9]
        if self.dice.random() < self._spoilt:
            pairs.append((self.dice.choice(NASTY), self.dice.choice(NASTY)))
        if self.dice.random() < self._spoilt:
            pairs = [(name + self.dice.choice([b"[]", b"[0]", b".x", b""]), value) for name, value in pairs]
        self.dice.shuffle(pairs)
        return pairs

    def _form(self, given: dict[str, str]) -> tuple[bytes, str]:
        escape = quote_from_bytes if self.dice.random() > self._spoilt else lambda raw: raw.decode("latin-1")
        pairs = "&".join(f"{escape(name)}={escape(value)}" for name, value in self._pairs(given))
        return pairs.encode("latin-1"), TYPES[0]

    def _multipart(self, given: dict[str, str]) -> tuple[bytes, str]:
        parts = []
        for name, value in self._pairs(given):
            as_file = (
                b'; filename="x"\r\nContent-Type: ' + self.dice.choice(NASTY) if self.dice.random() < 0.05 else b""
            )
            quoted = name.replace(b'"', b"%22").replace(b"\n", b" ")
            parts.append(
                b'--b\r\nContent-Disposition: form-data; name="' + quoted + b'"' + as_file + b"\r\n\r\n" + value
            )
        body = b"\r\n".join(parts) + b"\r\n--b--\r\n"
        if self.dice.random() < self._spoilt:
            place = self.dice.randrange(len(body))
            body = self.dice.choice(
                [body[:place], body[place:], body.replace(b"\r\n", b"\n"), body.replace(b"--b", b"-b", 3)]
            )
        return body, TYPES[1]

    def _noise(self, _given: dict[str, str]) -> tuple[bytes, str]:
        return self.dice.randbytes(self.dice.choice([0, 1, 50, 3_000, 33_000])), self.dice.choice(TYPES)

    def _broken_form(self, given: dict[str, str]) -> tuple[bytes, str]:
        body, kind = self._form(given)
        spoilt = bytearray(body)
        for _ in range(self.dice.randrange(1, 30)):
            if spoilt:
                spoilt[self.dice.randrange(len(spoilt))] = self.dice.choice(b"%&=+;\0\xff\r\n")
        return bytes(spoilt), kind

    def _json(self, given: dict[str, str]) -> tuple[bytes, str]:
        deep = self.dice.choice(
            [b"[" * 3_000, b'{"email":' * 500 + b"1" + b"}" * 500, b'{"email": ["a"]}', b'"\\ud800"', b"1"]
        )
        plain: dict[str, Any] = {name.decode("latin-1"): value.decode("latin-1") for name, value in self._pairs(given)}
        plain["email"] = self.dice.choice([None, 1, [], {}, "\ud800@example.org", "fuzz@example.org", True])
        return self.dice.choice([deep, json.dumps(plain).encode(), b"[" + json.dumps(plain).encode() + b"]"]), TYPES[2]

    def _crowd(self, _given: dict[str, str]) -> tuple[bytes, str]:
        name = self.dice.choice(["cases", "x", "email", "", "first_name"])
        return "&".join([f"{name}=river"] * self.dice.choice([150, 2_000, 9_000])).encode(), TYPES[0]

    def _proof(self) -> bytes:
        """Something like the solution of a puzzle, with a hole in it."""
        odd: list[Any] = [None, 1, "", "x", [], {}, -1, 1e308, "\ud800", True]
        names = ("algorithm", "nonce", "salt", "cost", "keyLength", "keyPrefix", "keySignature", "expiresAt", "data")
        parameters = {name: self.dice.choice([*odd, "PBKDF2/SHA-256", "ab" * 16]) for name in names}
        challenge = {"parameters": parameters, "signature": self.dice.choice([*odd, "ab" * 32])}
        solution = {"counter": self.dice.choice(odd), "derivedKey": self.dice.choice([*odd, "ab" * 32])}
        whole: Any = {"challenge": challenge, "solution": solution}
        for _ in range(self.dice.randrange(3)):
            whole[self.dice.choice(["challenge", "solution"])] = self.dice.choice(
                [*odd, {"parameters": self.dice.choice(odd)}]
            )
        raw = json.dumps(self.dice.choice([whole, whole, whole, [whole], *odd])).encode()
        return self.dice.choice([base64.b64encode(raw), raw, base64.b64encode(raw)[:-3], b"1.2.3", b"..", b"."])
