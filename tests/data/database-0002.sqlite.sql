PRAGMA foreign_keys=OFF;
CREATE TABLE accounts (
	id INTEGER NOT NULL,
	name VARCHAR(120) NOT NULL,
	password_hash VARCHAR(200) NOT NULL,
	created_at DATETIME NOT NULL,
	CONSTRAINT pk_accounts PRIMARY KEY (id),
	CONSTRAINT uq_accounts_name UNIQUE (name)
);
INSERT INTO "accounts" VALUES(1,'fr','fr','2026-12-10 09:30:00.000000');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE campaign_texts (
	campaign_id INTEGER NOT NULL,
	locale VARCHAR(12) NOT NULL,
	state VARCHAR(12) NOT NULL,
	source_hash VARCHAR(64) NOT NULL,
	words JSON NOT NULL,
	CONSTRAINT pk_campaign_texts PRIMARY KEY (campaign_id, locale),
	CONSTRAINT ck_campaign_texts_state_known CHECK (state IN ('missing', 'draft', 'ready')),
	CONSTRAINT fk_campaign_texts_campaign_id_campaigns FOREIGN KEY(campaign_id) REFERENCES campaigns (id) ON DELETE CASCADE
);
INSERT INTO "campaign_texts" VALUES(1,'fr','ready','fr','{"title": "O\u2019Connor"}');
CREATE TABLE "campaigns" (
	id INTEGER NOT NULL,
	slug VARCHAR(80) NOT NULL,
	state VARCHAR(12) NOT NULL,
	languages JSON NOT NULL,
	timezone VARCHAR(64) NOT NULL,
	demo BOOLEAN NOT NULL,
	goal INTEGER NOT NULL,
	asks_birth_date BOOLEAN NOT NULL,
	shows_waiting BOOLEAN NOT NULL,
	signers_per_mailbox INTEGER NOT NULL,
	opens_at DATETIME,
	closes_at DATETIME,
	controller JSON NOT NULL,
	topics JSON NOT NULL,
	wrapped_key BLOB,
	created_at DATETIME NOT NULL,
	changed_at DATETIME NOT NULL,
	neutral_subject BOOLEAN DEFAULT 0 NOT NULL,
	canary BLOB,
	keys_checked_at DATETIME,
	handed_over_at DATETIME,
	erased_at DATETIME,
	CONSTRAINT pk_campaigns PRIMARY KEY (id),
	CONSTRAINT ck_campaigns_state_known CHECK (state IN ('draft', 'open', 'closed', 'archived')),
	CONSTRAINT uq_campaigns_slug UNIQUE (slug)
);
INSERT INTO "campaigns" VALUES(1,'fr','open','{"title": "O\u2019Connor"}','fr',1,1,1,1,1,'2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000','{"title": "O\u2019Connor"}','{"title": "O\u2019Connor"}',X'00FF','2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000',1,X'00FF','2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000');
CREATE TABLE case_texts (
	case_id INTEGER NOT NULL,
	locale VARCHAR(12) NOT NULL,
	state VARCHAR(12) NOT NULL,
	source_hash VARCHAR(64) NOT NULL,
	words JSON NOT NULL,
	letter_version_id INTEGER NOT NULL,
	CONSTRAINT pk_case_texts PRIMARY KEY (case_id, locale),
	CONSTRAINT ck_case_texts_state_known CHECK (state IN ('missing', 'draft', 'ready')),
	CONSTRAINT fk_case_texts_case_id_cases FOREIGN KEY(case_id) REFERENCES cases (id) ON DELETE CASCADE,
	CONSTRAINT fk_case_texts_letter_version_id_letter_versions FOREIGN KEY(letter_version_id) REFERENCES letter_versions (id)
);
INSERT INTO "case_texts" VALUES(1,'fr','ready','fr','{"title": "O\u2019Connor"}',1);
CREATE TABLE cases (
	id INTEGER NOT NULL,
	campaign_id INTEGER NOT NULL,
	slug VARCHAR(80) NOT NULL,
	position INTEGER NOT NULL,
	country VARCHAR(2) NOT NULL,
	topic VARCHAR(40) NOT NULL,
	state VARCHAR(12) NOT NULL,
	state_changed_at DATETIME NOT NULL,
	goal INTEGER NOT NULL,
	emblem TEXT NOT NULL,
	CONSTRAINT pk_cases PRIMARY KEY (id),
	CONSTRAINT ck_cases_state_known CHECK (state IN ('draft', 'open', 'paused', 'hidden', 'won', 'closed')),
	CONSTRAINT fk_cases_campaign_id_campaigns FOREIGN KEY(campaign_id) REFERENCES campaigns (id) ON DELETE CASCADE,
	CONSTRAINT uq_cases_campaign_id_slug UNIQUE (campaign_id, slug)
);
INSERT INTO "cases" VALUES(1,1,'fr',1,'fr','fr','open','2026-12-10 09:30:00.000000',1,'fr');
CREATE TABLE consent_versions (
	id INTEGER NOT NULL,
	campaign_id INTEGER NOT NULL,
	locale VARCHAR(12) NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	words TEXT NOT NULL,
	created_at DATETIME NOT NULL,
	CONSTRAINT pk_consent_versions PRIMARY KEY (id),
	CONSTRAINT fk_consent_versions_campaign_id_campaigns FOREIGN KEY(campaign_id) REFERENCES campaigns (id),
	CONSTRAINT uq_consent_versions_campaign_id_locale_sha256 UNIQUE (campaign_id, locale, sha256)
);
INSERT INTO "consent_versions" VALUES(1,1,'fr','fr','fr','2026-12-10 09:30:00.000000');
CREATE TABLE counts (
	case_id INTEGER NOT NULL,
	hour_at DATETIME NOT NULL,
	shard INTEGER NOT NULL,
	pending INTEGER NOT NULL,
	confirmed INTEGER NOT NULL,
	withdrawn INTEGER NOT NULL,
	invalidated INTEGER NOT NULL,
	expired INTEGER NOT NULL,
	paper INTEGER NOT NULL,
	letters INTEGER NOT NULL, held INTEGER DEFAULT '0' NOT NULL,
	CONSTRAINT pk_counts PRIMARY KEY (case_id, hour_at, shard),
	CONSTRAINT fk_counts_case_id_cases FOREIGN KEY(case_id) REFERENCES cases (id)
)
 WITHOUT ROWID
;
INSERT INTO "counts" VALUES(1,'2026-12-10 09:30:00.000000',1,1,1,1,1,1,1,1,1);
CREATE TABLE holds (
	id INTEGER NOT NULL,
	campaign_id INTEGER NOT NULL,
	reason VARCHAR(40) NOT NULL,
	began_at DATETIME NOT NULL,
	ended_at DATETIME,
	CONSTRAINT pk_holds PRIMARY KEY (id),
	CONSTRAINT fk_holds_campaign_id_campaigns FOREIGN KEY(campaign_id) REFERENCES campaigns (id)
);
INSERT INTO "holds" VALUES(1,1,'fr','2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000');
CREATE TABLE invalidations (
	id INTEGER NOT NULL,
	campaign_id INTEGER NOT NULL,
	condition JSON NOT NULL,
	reason TEXT NOT NULL,
	previewed INTEGER NOT NULL,
	struck INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	ran_at DATETIME,
	undone_at DATETIME,
	CONSTRAINT pk_invalidations PRIMARY KEY (id),
	CONSTRAINT fk_invalidations_campaign_id_campaigns FOREIGN KEY(campaign_id) REFERENCES campaigns (id)
);
INSERT INTO "invalidations" VALUES(1,1,'{"title": "O\u2019Connor"}','fr',1,1,'2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000');
CREATE TABLE letter_versions (
	id INTEGER NOT NULL,
	case_id INTEGER NOT NULL,
	locale VARCHAR(12) NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	demand TEXT NOT NULL,
	created_at DATETIME NOT NULL,
	CONSTRAINT pk_letter_versions PRIMARY KEY (id),
	CONSTRAINT fk_letter_versions_case_id_cases FOREIGN KEY(case_id) REFERENCES cases (id),
	CONSTRAINT uq_letter_versions_case_id_locale_sha256 UNIQUE (case_id, locale, sha256)
);
INSERT INTO "letter_versions" VALUES(1,1,'fr','fr','fr','2026-12-10 09:30:00.000000');
CREATE TABLE limits (
	"key" VARCHAR(64) NOT NULL,
	used INTEGER NOT NULL,
	ends_at BIGINT NOT NULL,
	CONSTRAINT pk_limits PRIMARY KEY ("key")
);
INSERT INTO "limits" VALUES('fr',1,1);
CREATE TABLE mail_slots (
	mailbox_key VARCHAR(64) NOT NULL,
	slot INTEGER NOT NULL,
	ends_at BIGINT NOT NULL,
	CONSTRAINT pk_mail_slots PRIMARY KEY (mailbox_key, slot)
);
INSERT INTO "mail_slots" VALUES('fr',1,1);
CREATE TABLE marks (
	name VARCHAR(40) NOT NULL,
	at DATETIME NOT NULL,
	CONSTRAINT pk_marks PRIMARY KEY (name)
);
INSERT INTO "marks" VALUES('fr','2026-12-10 09:30:00.000000');
CREATE TABLE messages (
	id INTEGER NOT NULL,
	dedupe_key VARCHAR(120) NOT NULL,
	kind VARCHAR(20) NOT NULL,
	signer_id INTEGER NOT NULL,
	locale VARCHAR(12) NOT NULL,
	payload BLOB,
	state VARCHAR(12) NOT NULL,
	attempts INTEGER NOT NULL,
	due_at DATETIME NOT NULL,
	leased_until DATETIME,
	created_at DATETIME NOT NULL,
	sent_at DATETIME,
	failure VARCHAR(40),
	CONSTRAINT pk_messages PRIMARY KEY (id),
	CONSTRAINT ck_messages_state_known CHECK (state IN ('queued', 'sent', 'failed')),
	CONSTRAINT fk_messages_signer_id_signers FOREIGN KEY(signer_id) REFERENCES signers (id),
	CONSTRAINT uq_messages_dedupe_key UNIQUE (dedupe_key)
);
INSERT INTO "messages" VALUES(1,'fr','fr',1,'fr',X'00FF','queued',1,'2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000','fr');
CREATE TABLE passes (
	id INTEGER NOT NULL,
	campaign_id INTEGER NOT NULL,
	code_hash VARCHAR(64) NOT NULL,
	place VARCHAR(120) NOT NULL,
	most INTEGER NOT NULL,
	used INTEGER NOT NULL,
	opens_at DATETIME NOT NULL,
	closes_at DATETIME NOT NULL,
	CONSTRAINT pk_passes PRIMARY KEY (id),
	CONSTRAINT fk_passes_campaign_id_campaigns FOREIGN KEY(campaign_id) REFERENCES campaigns (id),
	CONSTRAINT uq_passes_code_hash UNIQUE (code_hash)
);
INSERT INTO "passes" VALUES(1,1,'fr','fr',1,1,'2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000');
CREATE TABLE recipients (
	id INTEGER NOT NULL,
	label VARCHAR(120) NOT NULL,
	public_key VARCHAR(80) NOT NULL,
	created_at DATETIME NOT NULL,
	retired_at DATETIME,
	CONSTRAINT pk_recipients PRIMARY KEY (id),
	CONSTRAINT uq_recipients_public_key UNIQUE (public_key)
);
INSERT INTO "recipients" VALUES(1,'fr','fr','2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000');
CREATE TABLE "signatures" (
	signer_id INTEGER NOT NULL,
	case_id INTEGER NOT NULL,
	state VARCHAR(12) NOT NULL,
	letter_version_id INTEGER NOT NULL,
	source VARCHAR(12) NOT NULL,
	signed_at DATETIME NOT NULL,
	confirmed_at DATETIME,
	withdrawn_at DATETIME,
	invalidated_at DATETIME,
	expired_at DATETIME,
	consent_version_id INTEGER,
	invalidation_id INTEGER,
	held_at DATETIME,
	CONSTRAINT pk_signatures PRIMARY KEY (signer_id, case_id),
	CONSTRAINT fk_signatures_signer_id_signers FOREIGN KEY(signer_id) REFERENCES signers (id),
	CONSTRAINT fk_signatures_case_id_cases FOREIGN KEY(case_id) REFERENCES cases (id),
	CONSTRAINT fk_signatures_letter_version_id_letter_versions FOREIGN KEY(letter_version_id) REFERENCES letter_versions (id),
	CONSTRAINT ck_signatures_state_known CHECK (state IN ('pending', 'held', 'confirmed', 'withdrawn', 'invalidated', 'expired')),
	CONSTRAINT fk_signatures_invalidation_id_invalidations FOREIGN KEY(invalidation_id) REFERENCES invalidations (id),
	CONSTRAINT fk_signatures_consent_version_id_consent_versions FOREIGN KEY(consent_version_id) REFERENCES consent_versions (id)
)
 WITHOUT ROWID
;
INSERT INTO "signatures" VALUES(1,1,'confirmed',1,'fr','2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000',1,1,'2026-12-10 09:30:00.000000');
CREATE TABLE "signers" (
	id INTEGER NOT NULL,
	campaign_id INTEGER NOT NULL,
	email_key BLOB,
	slot INTEGER NOT NULL,
	name_key BLOB,
	sealed BLOB,
	link_salt BLOB,
	locale VARCHAR(12) NOT NULL,
	newsletter BOOLEAN NOT NULL,
	signed_at DATETIME NOT NULL,
	asked_at DATETIME NOT NULL,
	confirmed_at DATETIME,
	erased_at DATETIME,
	sealed_name BLOB,
	reminded_at DATETIME,
	pass_id INTEGER,
	CONSTRAINT pk_signers PRIMARY KEY (id),
	CONSTRAINT fk_signers_campaign_id_campaigns FOREIGN KEY(campaign_id) REFERENCES campaigns (id),
	CONSTRAINT uq_signers_campaign_id_email_key_name_key UNIQUE (campaign_id, email_key, name_key),
	CONSTRAINT ck_signers_slot_range CHECK (slot BETWEEN 1 AND 9),
	CONSTRAINT uq_signers_campaign_id_email_key_slot UNIQUE (campaign_id, email_key, slot),
	CONSTRAINT fk_signers_pass_id_passes FOREIGN KEY(pass_id) REFERENCES passes (id)
);
INSERT INTO "signers" VALUES(1,1,X'00FF',1,X'00FF',X'00FF',X'00FF','fr',1,'2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000','2026-12-10 09:30:00.000000',X'00FF','2026-12-10 09:30:00.000000',1);
CREATE TABLE staff_sessions (
	token_hash BLOB NOT NULL,
	account_id INTEGER NOT NULL,
	data JSON NOT NULL,
	created_at DATETIME NOT NULL,
	CONSTRAINT pk_staff_sessions PRIMARY KEY (token_hash),
	CONSTRAINT fk_staff_sessions_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
);
INSERT INTO "staff_sessions" VALUES(X'00FF',1,'{"title": "O\u2019Connor"}','2026-12-10 09:30:00.000000');
CREATE TABLE stories (
	id INTEGER NOT NULL,
	campaign_id INTEGER NOT NULL,
	slug VARCHAR(80) NOT NULL,
	position INTEGER NOT NULL,
	year INTEGER NOT NULL,
	country VARCHAR(2),
	CONSTRAINT pk_stories PRIMARY KEY (id),
	CONSTRAINT fk_stories_campaign_id_campaigns FOREIGN KEY(campaign_id) REFERENCES campaigns (id) ON DELETE CASCADE,
	CONSTRAINT uq_stories_campaign_id_slug UNIQUE (campaign_id, slug)
);
INSERT INTO "stories" VALUES(1,1,'fr',1,1,'fr');
CREATE TABLE story_texts (
	story_id INTEGER NOT NULL,
	locale VARCHAR(12) NOT NULL,
	state VARCHAR(12) NOT NULL,
	source_hash VARCHAR(64) NOT NULL,
	words JSON NOT NULL,
	CONSTRAINT pk_story_texts PRIMARY KEY (story_id, locale),
	CONSTRAINT ck_story_texts_state_known CHECK (state IN ('missing', 'draft', 'ready')),
	CONSTRAINT fk_story_texts_story_id_stories FOREIGN KEY(story_id) REFERENCES stories (id) ON DELETE CASCADE
);
INSERT INTO "story_texts" VALUES(1,'fr','ready','fr','{"title": "O\u2019Connor"}');
CREATE TABLE suppressions (
	mailbox_key VARCHAR(64) NOT NULL,
	reason VARCHAR(20) NOT NULL,
	created_at DATETIME NOT NULL,
	CONSTRAINT pk_suppressions PRIMARY KEY (mailbox_key)
);
INSERT INTO "suppressions" VALUES('fr','fr','2026-12-10 09:30:00.000000');
CREATE TABLE tallies (
	id INTEGER NOT NULL,
	case_id INTEGER NOT NULL,
	kind VARCHAR(12) NOT NULL,
	number INTEGER NOT NULL,
	happened_on DATE NOT NULL,
	note TEXT NOT NULL,
	recorded_at DATETIME NOT NULL,
	CONSTRAINT pk_tallies PRIMARY KEY (id),
	CONSTRAINT ck_tallies_kind_known CHECK (kind IN ('paper', 'letters')),
	CONSTRAINT ck_tallies_number_not_zero CHECK (number <> 0),
	CONSTRAINT fk_tallies_case_id_cases FOREIGN KEY(case_id) REFERENCES cases (id)
);
INSERT INTO "tallies" VALUES(1,1,'paper',1,'2026-12-10','fr','2026-12-10 09:30:00.000000');
CREATE INDEX ix_limits_ends_at ON limits (ends_at);
CREATE INDEX ix_staff_sessions_account_id ON staff_sessions (account_id);
CREATE INDEX ix_messages_signer_id ON messages (signer_id);
CREATE INDEX ix_messages_state_due_at ON messages (state, due_at);
CREATE INDEX ix_tallies_case_id ON tallies (case_id);
CREATE INDEX ix_mail_slots_ends_at ON mail_slots (ends_at);
CREATE INDEX ix_holds_campaign_id ON holds (campaign_id);
CREATE INDEX ix_invalidations_campaign_id ON invalidations (campaign_id);
