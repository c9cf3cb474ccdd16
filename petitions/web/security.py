"""Security headers, trusted proxies, and the origin check of unsafe requests."""

from io import BytesIO
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from flask import Request as FlaskRequest
from werkzeug.formparser import FormDataParser
from werkzeug.middleware.proxy_fix import ProxyFix

from petitions.services.keys.keyring import settings as current_settings
from petitions.services.limits import networks, rate_limits
from petitions.settings import LOOPBACK, Settings

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FOR_OTHER_SITES = (("Access-Control-Allow-Origin", "*"), ("Cross-Origin-Resource-Policy", "cross-origin"))
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    "Content-Security-Policy": CSP,
}
SAFE = {"GET", "HEAD", "OPTIONS"}
ADMIN = "/admin/"
ONE_CLICK = "signer_page.stop_mails"  # mail programs send it (RFC 8058); its token is the proof
SERVICES = "/api/v1/bounces"  # for mail services, which are no browsers and authenticate with a secret


def headers(settings: Settings) -> dict[str, str]:
    """The security headers of every response."""
    hsts = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"} if settings.is_https else {}
    return {**HEADERS, **hsts}


class Request(FlaskRequest):
    """A request that uses no temporary files: what the limits allow fits into memory."""

    def make_form_data_parser(self) -> FormDataParser:
        """As Flask's, but files stay in memory."""
        parser = super().make_form_data_parser()
        parser.stream_factory = lambda *_, **__: BytesIO()
        return parser


def register(app: Flask, settings: Settings) -> None:
    """Protect `app` according to `settings`."""
    everywhere = headers(settings)
    app.request_class = Request
    host = urlsplit(settings.base_url).hostname or ""
    # When tried out on this machine, the server answers to each of its local names
    app.config["TRUSTED_HOSTS"] = sorted(LOOPBACK) if host in LOOPBACK else [host]
    if settings.proxy_hops:
        # counted from the right: values that the client wrote into the header are further left
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxy_hops, x_proto=settings.proxy_hops)  # type: ignore[method-assign]

    @app.before_request
    def refuse_foreign_forms() -> None:
        if not request.path.isprintable():
            abort(404)  # not one of our URLs; and Postgres refuses NUL even in a query
        if not request.query_string.isascii():
            abort(400)  # not from a browser; Werkzeug would fail on bytes that are not UTF-8
        if request.method not in SAFE:
            if request.path != SERVICES and request.endpoint != ONE_CLICK:
                _check_origin(settings.base_url)
            if request.content_length is None and "Transfer-Encoding" in request.headers:
                abort(413)  # a request body without length; Werkzeug would silently cut it off at the limit

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in everywhere.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def _check_origin(base_url: str) -> None:
    """Refuse unsafe requests that do not come from our own pages.

    It needs no token and no cookie, so that whole pages can be cached.
    """
    is_admin = request.path.startswith(ADMIN)
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        if site != "same-origin" and not (site == "none" and not is_admin):
            abort(403)
    elif origin is not None:
        if origin != base_url:
            abort(403)
    elif is_admin:
        abort(403)
    elif place := networks.line(network()):  # an old browser or a script: allowed, but rate limited
        rate_limits.spend(rate_limits.UNKNOWN_ORIGIN, place)


def network() -> str:
    """The client's network, for rate limits only, never stored: an IPv4 address, or an IPv6 /64.

    Empty, so not limited, for this machine itself while Petitions is tried out. On a real site that would be a proxy
    missing in PETITIONS_PROXY_HOPS: then all visitors share one limit instead of having none.
    """
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:  # the proxy wrote something else
        return request.remote_addr or ""
    if address.version == 6 and address.ipv4_mapped:
        address = address.ipv4_mapped
    settings = current_settings()
    if address.is_loopback and not settings.proxy_hops and urlsplit(settings.base_url).hostname in LOOPBACK:
        return ""
    return str(address if address.version == 4 else ip_network((address, 64), strict=False).network_address)
