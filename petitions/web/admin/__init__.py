"""Pages for staff; all require a login."""

from flask import Blueprint

from petitions.web.admin import (
    board,
    decrypt_export,
    embedding,
    exports,
    keys,
    login,
    mailing,
    moderation,
    retention,
    staff,
)

PAGES = (
    ("GET", "/login", login.login_form),
    ("POST", "/login", login.log_in),
    ("POST", "/logout", login.log_out),
    ("GET", "/", board.board),
    ("GET", "/board", board.board_part),
    ("GET", "/sources", board.list_sources),
    ("GET", "/account", staff.account),
    ("POST", "/account", staff.change_password),
    ("POST", "/account/sessions", staff.end_sessions),
    ("GET", "/staff", staff.list_staff),
    ("POST", "/staff", staff.change_staff),
    ("GET", "/journal", staff.list_journal),
    ("GET", "/passes", moderation.list_group_codes),
    ("POST", "/passes", moderation.create_group_code),
    ("POST", "/passes/end", moderation.end_group_code),
    ("POST", "/holds/count", moderation.count_held),
    ("GET", "/invalidations", moderation.list_invalidations),
    ("POST", "/invalidations", moderation.prepare_invalidation),
    ("POST", "/invalidations/run", moderation.run_invalidation),
    ("POST", "/invalidations/undo", moderation.undo_invalidation),
    ("GET", "/mails", mailing.mailing),
    ("POST", "/mails", mailing.change_suppression),
    ("GET", "/embedding", embedding.embedding),
    ("GET", "/retention", retention.retention),
    ("POST", "/retention/<campaign>/handed-over", retention.record_delivery),
    ("POST", "/retention/<campaign>/not-handed-over", retention.undo_delivery),
    ("GET", "/keys", keys.keys),
    ("POST", "/keys", keys.prove_key),
    ("GET", "/export", exports.export_form),
    ("POST", "/export", exports.export),
    ("GET", "/open", decrypt_export.decrypt_export),
    ("GET", "/open/download", decrypt_export.decrypt_export_file),
)


def blueprint() -> Blueprint:
    """All pages for staff; each demands a session, except those in `login.OPEN_ENDPOINTS`."""
    bp = Blueprint("admin", __name__, url_prefix="/admin")
    bp.before_request(login.demand_session)
    for method, path, view in PAGES:
        bp.add_url_rule(path, view.__name__, view, methods=[method])
    return bp
