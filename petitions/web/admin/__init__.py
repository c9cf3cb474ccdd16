"""Pages for staff; all require a login."""

from functools import partial

from flask import Blueprint, request

from petitions.domain.roles import Right
from petitions.web import sessions
from petitions.web.admin import (
    account,
    board,
    campaign,
    cases,
    chosen,
    collectors,
    decrypt_export,
    embedding,
    exports,
    health,
    help_desk,
    invitations,
    keys,
    kit_orders,
    login,
    mailing,
    moderation,
    navigation,
    paper,
    retention,
    staff,
    texts,
)

# Bytes: all fields of a text with four bytes for each character; a campaign's folder as a zip file
LARGEST_BODIES = {"admin.save_text": 400_000, "admin.upload_campaign": 2_000_000}
OWN, FIGURES, PAPER, CAMPAIGN, SIGNATURES, PEOPLE = Right
PAGES = (
    (None, "GET", "/login", login.login_form),
    (None, "POST", "/login", login.log_in),
    (None, "GET", "/invitation/<token>", invitations.invitation),
    (None, "POST", "/invitation/<token>", invitations.accept_invitation),
    (OWN, "POST", "/logout", login.log_out),
    (OWN, "GET", "/account", account.account),
    (OWN, "POST", "/account", account.change_password),
    (OWN, "POST", "/account/sessions", account.end_sessions),
    (OWN, "GET", "/account/second-factor", account.second_factor),
    (OWN, "POST", "/account/second-factor", account.begin_second_factor),
    (FIGURES, "GET", "/", board.board),
    (FIGURES, "GET", "/board", board.board_part),
    (FIGURES, "GET", "/board.csv", board.board_csv),
    (FIGURES, "GET", "/sources", board.list_sources),
    (PAPER, "GET", "/paper", paper.paper),
    (PAPER, "POST", "/paper", paper.report_paper),
    (PAPER, "POST", "/paper/verify", paper.verify_paper),
    (CAMPAIGN, "GET", "/collectors", collectors.list_collectors),
    (CAMPAIGN, "POST", "/collectors", collectors.create_collector),
    (CAMPAIGN, "POST", "/collectors/change", collectors.change_collector),
    (CAMPAIGN, "POST", "/collectors/contest", collectors.change_contest),
    (CAMPAIGN, "GET", "/collectors/certificates", collectors.print_certificates),
    (FIGURES, "POST", "/campaigns/choose", chosen.choose_campaign),
    (CAMPAIGN, "GET", "/campaign", campaign.edit_campaign),
    (CAMPAIGN, "POST", "/campaign", campaign.save_campaign),
    (CAMPAIGN, "GET", "/cases", cases.list_cases),
    (CAMPAIGN, "POST", "/cases", cases.change_case),
    (CAMPAIGN, "GET", "/cases/new", campaign.new_case),
    (CAMPAIGN, "POST", "/cases/new", campaign.create_case),
    (CAMPAIGN, "GET", "/cases/<case>/facts", campaign.edit_case),
    (CAMPAIGN, "POST", "/cases/<case>/facts", campaign.save_case),
    (CAMPAIGN, "GET", "/texts", texts.list_texts),
    (CAMPAIGN, "GET", "/texts/<language>/<path:place>", texts.edit_text),
    (CAMPAIGN, "POST", "/texts/<language>/<path:place>", texts.save_text),
    (CAMPAIGN, "GET", "/campaigns", campaign.list_campaigns),
    (CAMPAIGN, "POST", "/campaigns", campaign.create_campaign),
    (CAMPAIGN, "POST", "/campaigns/upload", campaign.upload_campaign),
    (CAMPAIGN, "POST", "/campaigns/<campaign>/copy", campaign.copy_campaign),
    (CAMPAIGN, "GET", "/campaigns/<campaign>.zip", campaign.download_campaign),
    (CAMPAIGN, "GET", "/embedding", embedding.embedding),
    (SIGNATURES, "POST", "/holds/count", moderation.count_held),
    (SIGNATURES, "GET", "/invalidations", moderation.list_invalidations),
    (SIGNATURES, "POST", "/invalidations", moderation.prepare_invalidation),
    (SIGNATURES, "POST", "/invalidations/run", moderation.run_invalidation),
    (SIGNATURES, "POST", "/invalidations/undo", moderation.undo_invalidation),
    (SIGNATURES, "GET", "/mails", mailing.mailing),
    (SIGNATURES, "POST", "/mails", mailing.change_suppression),
    (SIGNATURES, "GET", "/retention", retention.retention),
    (SIGNATURES, "POST", "/retention/<campaign>/handed-over", retention.record_delivery),
    (SIGNATURES, "POST", "/retention/<campaign>/not-handed-over", retention.undo_delivery),
    (CAMPAIGN, "GET", "/help", help_desk.help_desk),
    (CAMPAIGN, "POST", "/help", help_desk.send_own_link),
    (SIGNATURES, "GET", "/kit-orders", kit_orders.list_kit_orders),
    (SIGNATURES, "POST", "/kit-orders", kit_orders.change_kit_order),
    (SIGNATURES, "GET", "/kit-orders/labels", kit_orders.print_labels),
    (SIGNATURES, "GET", "/export", exports.export_form),
    (SIGNATURES, "POST", "/export", exports.export),
    (SIGNATURES, "POST", "/export/ask", exports.ask_for_export),
    (SIGNATURES, "POST", "/export/agree", exports.agree_to_export),
    (SIGNATURES, "GET", "/open", decrypt_export.decrypt_export),
    (SIGNATURES, "GET", "/open/download", decrypt_export.decrypt_export_file),
    (PEOPLE, "GET", "/keys", keys.keys),
    (PEOPLE, "POST", "/keys", keys.prove_key),
    (PEOPLE, "GET", "/staff", staff.list_staff),
    (PEOPLE, "POST", "/staff", staff.change_staff),
    (PEOPLE, "POST", "/staff/invite", staff.invite),
    (PEOPLE, "GET", "/journal", staff.list_journal),
    (PEOPLE, "GET", "/journal.csv", staff.journal_csv),
    (PEOPLE, "GET", "/health", health.health),
)
RIGHTS: dict[str, Right | None] = {f"admin.{view.__name__}": right for right, _, _, view in PAGES}


def blueprint() -> Blueprint:
    """All pages for staff; each demands a session and the right that PAGES names, where it names one."""
    bp = Blueprint("admin", __name__, url_prefix="/admin")
    bp.before_request(_allow_long_texts)
    bp.before_request(partial(login.demand_right, RIGHTS))
    bp.context_processor(lambda: navigation.context(RIGHTS) if login.is_logged_in() else {})
    for _, method, path, view in PAGES:
        bp.add_url_rule(path, view.__name__, view, methods=[method])
    return bp


def _allow_long_texts() -> None:
    """Texts and folders of a campaign are longer than what visitors send; only for who is or was logged in."""
    largest = LARGEST_BODIES.get(request.endpoint or "")
    if largest and (login.is_logged_in() or sessions.has_ended()):
        request.max_content_length = request.max_form_memory_size = largest
