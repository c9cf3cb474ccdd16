"""oEmbed 1.0 (oembed.com), for sites that turn a pasted address into a preview: always a link.

Such sites would show our form in a sandbox in which nobody can send it.
"""

import json
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, request
from werkzeug.exceptions import HTTPException

from petitions.queries.catalogue import catalogue
from petitions.services.keys.keyring import settings
from petitions.web import security

bp = Blueprint("api_oembed", __name__)
PAGES = {"pages.home", "pages.campaign", "pages.case"}


@bp.get("/api/v1/oembed")
def oembed() -> Response:
    """Title and provider of the public page `url`; 404 for any other address, 501 for a format that is not JSON."""
    if request.args.get("format", "json") != "json":
        abort(501)
    base_url, url = settings().base_url, request.args.get("url", "")
    if not url.startswith(f"{base_url}/"):
        abort(404)
    try:
        endpoint, values = current_app.url_map.bind("").match(urlsplit(url).path, "GET")
    except HTTPException:
        abort(404)
    if endpoint not in PAGES:
        abort(404)
    public = catalogue()
    campaign = public.campaign(values["campaign"]) if "campaign" in values else public.current
    words = campaign.text(values["lang"])
    title = campaign.case(values["case"]).text(values["lang"])["title"] if "case" in values else words["tagline"]
    facts = {"version": "1.0", "type": "link", "title": title, "provider_name": words["title"]}
    answer = json.dumps({**facts, "provider_url": f"{base_url}/", "cache_age": 3600})
    return Response(answer, mimetype="application/json", headers=[*security.FOR_OTHER_SITES])
