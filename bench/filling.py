"""Fills a scratch database quickly with signatures, as after a campaign; some of them are really encrypted."""

import random
from collections.abc import Sequence

from flask import Flask
from sqlalchemy import Connection

from petitions import clock
from petitions.db.base import db
from petitions.domain import sealing
from petitions.queries.catalogue import catalogue
from petitions.services.signatures import counting

CASES_EACH = 9
SAMPLE = 100  # truly sealed; the others share their bytes

SIGNERS = {
    "sqlite": """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number})
        INSERT INTO signers (campaign_id, address_key, email_key, name_key, slot, sealed, link_id, locale, newsletter,
                             signed_at, asked_at, confirmed_at)
        SELECT {campaign}, randomblob(32), randomblob(32), randomblob(32), 1,
               (SELECT bytes FROM sample WHERE id = i % {sample}),
               randomblob(16), 'fr', 0, '{then}', '{then}', '{then}' FROM n""",
    "postgresql": """
        INSERT INTO signers (campaign_id, address_key, email_key, name_key, slot, sealed, link_id, locale, newsletter,
                             signed_at, asked_at, confirmed_at)
        SELECT {campaign}, decode(md5('f' || i) || md5('g' || i), 'hex'),
               decode(md5('a' || i) || md5('b' || i), 'hex'), decode(md5('c' || i) || md5('d' || i), 'hex'),
               1, (SELECT bytes FROM sample WHERE id = mod(i, {sample})), decode(md5('e' || i), 'hex'), 'fr', false,
               '{then}', '{then}', '{then}' FROM generate_series(1, {number}) AS n(i)""",
}
SIGNATURES = """
    INSERT INTO signatures (signer_id, case_id, state, letter_version_id, source, signed_at, confirmed_at)
    SELECT s.id, c.id, 'confirmed',
           (SELECT max(l.id) FROM letter_versions l WHERE l.case_id = c.id AND l.locale = 'fr'),
           'direct', s.signed_at, s.confirmed_at
    FROM signers s CROSS JOIN cases c WHERE c.id IN ({cases}) ORDER BY s.id, c.id"""


def fill(app: Flask, signatures: int) -> None:
    """Put `signatures` confirmed signatures into the demo campaign: nine a signer, the counts along with them."""
    with app.app_context(), db.engine.execution_options(writes=True).begin() as connection:
        campaign = catalogue().current
        cases = [case.id for case in campaign.open_cases][:CASES_EACH]
        _sample(connection, catalogue().public_keys)
        number = signatures // len(cases)
        then = clock.now().strftime("%Y-%m-%d %H:%M:%S.000000")
        words = {"number": number, "campaign": campaign.id, "sample": SAMPLE, "then": then}
        connection.exec_driver_sql(SIGNERS[connection.dialect.name].format(**words))
        connection.exec_driver_sql(SIGNATURES.format(cases=", ".join(map(str, cases))))
        counting.shift(connection, ((case, "confirmed", number) for case in cases), clock.now())
    with app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("DROP TABLE sample")
        connection.exec_driver_sql("ANALYZE")


def _sample(connection: Connection, public_keys: Sequence[str]) -> None:
    kind = "BLOB" if connection.dialect.name == "sqlite" else "BYTEA"
    connection.exec_driver_sql(f"CREATE TABLE sample (id INTEGER PRIMARY KEY, bytes {kind})")
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    for each in range(SAMPLE):
        name = {"first_name": "".join(random.choices("abcdefghij", k=8)), "last_name": "Example"}
        row = (each, sealing.seal({**name, "email": f"{each}@example.org"}, public_keys))
        connection.exec_driver_sql(f"INSERT INTO sample VALUES ({mark}, {mark})", row)
