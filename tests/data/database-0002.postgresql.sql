CREATE TABLE accounts (
    id integer NOT NULL,
    name character varying(120) NOT NULL,
    password_hash character varying(200) NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE accounts_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE accounts_id_seq OWNED BY accounts.id;
CREATE TABLE alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE campaign_texts (
    campaign_id integer NOT NULL,
    locale character varying(12) NOT NULL,
    state character varying(12) NOT NULL,
    source_hash character varying(64) NOT NULL,
    words json NOT NULL,
    CONSTRAINT ck_campaign_texts_state_known CHECK (((state)::text = ANY ((ARRAY['missing'::character varying, 'draft'::character varying, 'ready'::character varying])::text[])))
);
CREATE TABLE campaigns (
    id integer NOT NULL,
    slug character varying(80) NOT NULL,
    state character varying(12) NOT NULL,
    languages json NOT NULL,
    timezone character varying(64) NOT NULL,
    demo boolean NOT NULL,
    goal integer NOT NULL,
    asks_birth_date boolean NOT NULL,
    shows_waiting boolean NOT NULL,
    signers_per_mailbox integer NOT NULL,
    opens_at timestamp with time zone,
    closes_at timestamp with time zone,
    controller json NOT NULL,
    topics json NOT NULL,
    wrapped_key bytea,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    neutral_subject boolean DEFAULT false NOT NULL,
    canary bytea,
    keys_checked_at timestamp with time zone,
    handed_over_at timestamp with time zone,
    erased_at timestamp with time zone,
    CONSTRAINT ck_campaigns_state_known CHECK (((state)::text = ANY ((ARRAY['draft'::character varying, 'open'::character varying, 'closed'::character varying, 'archived'::character varying])::text[])))
);
CREATE SEQUENCE campaigns_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE campaigns_id_seq OWNED BY campaigns.id;
CREATE TABLE case_texts (
    case_id integer NOT NULL,
    locale character varying(12) NOT NULL,
    state character varying(12) NOT NULL,
    source_hash character varying(64) NOT NULL,
    words json NOT NULL,
    letter_version_id integer NOT NULL,
    CONSTRAINT ck_case_texts_state_known CHECK (((state)::text = ANY ((ARRAY['missing'::character varying, 'draft'::character varying, 'ready'::character varying])::text[])))
);
CREATE TABLE cases (
    id integer NOT NULL,
    campaign_id integer NOT NULL,
    slug character varying(80) NOT NULL,
    "position" integer NOT NULL,
    country character varying(2) NOT NULL,
    topic character varying(40) NOT NULL,
    state character varying(12) NOT NULL,
    state_changed_at timestamp with time zone NOT NULL,
    goal integer NOT NULL,
    emblem text NOT NULL,
    CONSTRAINT ck_cases_state_known CHECK (((state)::text = ANY ((ARRAY['draft'::character varying, 'open'::character varying, 'paused'::character varying, 'hidden'::character varying, 'won'::character varying, 'closed'::character varying])::text[])))
);
CREATE SEQUENCE cases_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE cases_id_seq OWNED BY cases.id;
CREATE TABLE consent_versions (
    id integer NOT NULL,
    campaign_id integer NOT NULL,
    locale character varying(12) NOT NULL,
    sha256 character varying(64) NOT NULL,
    words text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE consent_versions_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE consent_versions_id_seq OWNED BY consent_versions.id;
CREATE TABLE counts (
    case_id integer NOT NULL,
    hour_at timestamp with time zone NOT NULL,
    shard integer NOT NULL,
    pending integer NOT NULL,
    confirmed integer NOT NULL,
    withdrawn integer NOT NULL,
    invalidated integer NOT NULL,
    expired integer NOT NULL,
    paper integer NOT NULL,
    letters integer NOT NULL,
    held integer DEFAULT 0 NOT NULL
);
CREATE TABLE holds (
    id integer NOT NULL,
    campaign_id integer NOT NULL,
    reason character varying(40) NOT NULL,
    began_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);
CREATE SEQUENCE holds_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE holds_id_seq OWNED BY holds.id;
CREATE TABLE invalidations (
    id integer NOT NULL,
    campaign_id integer NOT NULL,
    condition json NOT NULL,
    reason text NOT NULL,
    previewed integer NOT NULL,
    struck integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ran_at timestamp with time zone,
    undone_at timestamp with time zone
);
CREATE SEQUENCE invalidations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE invalidations_id_seq OWNED BY invalidations.id;
CREATE TABLE letter_versions (
    id integer NOT NULL,
    case_id integer NOT NULL,
    locale character varying(12) NOT NULL,
    sha256 character varying(64) NOT NULL,
    demand text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE letter_versions_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE letter_versions_id_seq OWNED BY letter_versions.id;
CREATE TABLE limits (
    key character varying(64) NOT NULL,
    used integer NOT NULL,
    ends_at bigint NOT NULL
);
CREATE TABLE mail_slots (
    mailbox_key character varying(64) NOT NULL,
    slot integer NOT NULL,
    ends_at bigint NOT NULL
);
CREATE TABLE marks (
    name character varying(40) NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE messages (
    id integer NOT NULL,
    dedupe_key character varying(120) NOT NULL,
    kind character varying(20) NOT NULL,
    signer_id integer NOT NULL,
    locale character varying(12) NOT NULL,
    payload bytea,
    state character varying(12) NOT NULL,
    attempts integer NOT NULL,
    due_at timestamp with time zone NOT NULL,
    leased_until timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    failure character varying(40),
    CONSTRAINT ck_messages_state_known CHECK (((state)::text = ANY ((ARRAY['queued'::character varying, 'sent'::character varying, 'failed'::character varying])::text[])))
);
CREATE SEQUENCE messages_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE messages_id_seq OWNED BY messages.id;
CREATE TABLE passes (
    id integer NOT NULL,
    campaign_id integer NOT NULL,
    code_hash character varying(64) NOT NULL,
    place character varying(120) NOT NULL,
    most integer NOT NULL,
    used integer NOT NULL,
    opens_at timestamp with time zone NOT NULL,
    closes_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE passes_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE passes_id_seq OWNED BY passes.id;
CREATE TABLE recipients (
    id integer NOT NULL,
    label character varying(120) NOT NULL,
    public_key character varying(80) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    retired_at timestamp with time zone
);
CREATE SEQUENCE recipients_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE recipients_id_seq OWNED BY recipients.id;
CREATE TABLE signatures (
    signer_id integer NOT NULL,
    case_id integer NOT NULL,
    state character varying(12) NOT NULL,
    letter_version_id integer NOT NULL,
    source character varying(12) NOT NULL,
    signed_at timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone,
    withdrawn_at timestamp with time zone,
    invalidated_at timestamp with time zone,
    expired_at timestamp with time zone,
    consent_version_id integer,
    invalidation_id integer,
    held_at timestamp with time zone,
    CONSTRAINT ck_signatures_state_known CHECK (((state)::text = ANY ((ARRAY['pending'::character varying, 'held'::character varying, 'confirmed'::character varying, 'withdrawn'::character varying, 'invalidated'::character varying, 'expired'::character varying])::text[])))
);
CREATE TABLE signers (
    id integer NOT NULL,
    campaign_id integer NOT NULL,
    email_key bytea,
    slot integer NOT NULL,
    name_key bytea,
    sealed bytea,
    link_salt bytea,
    locale character varying(12) NOT NULL,
    newsletter boolean NOT NULL,
    signed_at timestamp with time zone NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone,
    erased_at timestamp with time zone,
    sealed_name bytea,
    reminded_at timestamp with time zone,
    pass_id integer,
    CONSTRAINT ck_signers_slot_range CHECK (((slot >= 1) AND (slot <= 9)))
);
CREATE SEQUENCE signers_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE signers_id_seq OWNED BY signers.id;
CREATE TABLE staff_sessions (
    token_hash bytea NOT NULL,
    account_id integer NOT NULL,
    data json NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE stories (
    id integer NOT NULL,
    campaign_id integer NOT NULL,
    slug character varying(80) NOT NULL,
    "position" integer NOT NULL,
    year integer NOT NULL,
    country character varying(2)
);
CREATE SEQUENCE stories_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE stories_id_seq OWNED BY stories.id;
CREATE TABLE story_texts (
    story_id integer NOT NULL,
    locale character varying(12) NOT NULL,
    state character varying(12) NOT NULL,
    source_hash character varying(64) NOT NULL,
    words json NOT NULL,
    CONSTRAINT ck_story_texts_state_known CHECK (((state)::text = ANY ((ARRAY['missing'::character varying, 'draft'::character varying, 'ready'::character varying])::text[])))
);
CREATE TABLE suppressions (
    mailbox_key character varying(64) NOT NULL,
    reason character varying(20) NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE tallies (
    id integer NOT NULL,
    case_id integer NOT NULL,
    kind character varying(12) NOT NULL,
    number integer NOT NULL,
    happened_on date NOT NULL,
    note text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_tallies_kind_known CHECK (((kind)::text = ANY ((ARRAY['paper'::character varying, 'letters'::character varying])::text[]))),
    CONSTRAINT ck_tallies_number_not_zero CHECK ((number <> 0))
);
CREATE SEQUENCE tallies_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE tallies_id_seq OWNED BY tallies.id;
ALTER TABLE ONLY accounts ALTER COLUMN id SET DEFAULT nextval('accounts_id_seq'::regclass);
ALTER TABLE ONLY campaigns ALTER COLUMN id SET DEFAULT nextval('campaigns_id_seq'::regclass);
ALTER TABLE ONLY cases ALTER COLUMN id SET DEFAULT nextval('cases_id_seq'::regclass);
ALTER TABLE ONLY consent_versions ALTER COLUMN id SET DEFAULT nextval('consent_versions_id_seq'::regclass);
ALTER TABLE ONLY holds ALTER COLUMN id SET DEFAULT nextval('holds_id_seq'::regclass);
ALTER TABLE ONLY invalidations ALTER COLUMN id SET DEFAULT nextval('invalidations_id_seq'::regclass);
ALTER TABLE ONLY letter_versions ALTER COLUMN id SET DEFAULT nextval('letter_versions_id_seq'::regclass);
ALTER TABLE ONLY messages ALTER COLUMN id SET DEFAULT nextval('messages_id_seq'::regclass);
ALTER TABLE ONLY passes ALTER COLUMN id SET DEFAULT nextval('passes_id_seq'::regclass);
ALTER TABLE ONLY recipients ALTER COLUMN id SET DEFAULT nextval('recipients_id_seq'::regclass);
ALTER TABLE ONLY signers ALTER COLUMN id SET DEFAULT nextval('signers_id_seq'::regclass);
ALTER TABLE ONLY stories ALTER COLUMN id SET DEFAULT nextval('stories_id_seq'::regclass);
ALTER TABLE ONLY tallies ALTER COLUMN id SET DEFAULT nextval('tallies_id_seq'::regclass);
INSERT INTO accounts VALUES (1, 'fr', 'fr', '2026-12-10 09:30:00+00');
INSERT INTO alembic_version VALUES ('0002');
INSERT INTO campaign_texts VALUES (1, 'fr', 'ready', 'fr', '{"title": "O\u2019Connor"}');
INSERT INTO campaigns VALUES (1, 'fr', 'open', '{"title": "O\u2019Connor"}', 'fr', true, 1, true, true, 1, '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00', '{"title": "O\u2019Connor"}', '{"title": "O\u2019Connor"}', '\x00ff', '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00', true, '\x00ff', '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00');
INSERT INTO case_texts VALUES (1, 'fr', 'ready', 'fr', '{"title": "O\u2019Connor"}', 1);
INSERT INTO cases VALUES (1, 1, 'fr', 1, 'fr', 'fr', 'open', '2026-12-10 09:30:00+00', 1, 'fr');
INSERT INTO consent_versions VALUES (1, 1, 'fr', 'fr', 'fr', '2026-12-10 09:30:00+00');
INSERT INTO counts VALUES (1, '2026-12-10 09:30:00+00', 1, 1, 1, 1, 1, 1, 1, 1, 1);
INSERT INTO holds VALUES (1, 1, 'fr', '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00');
INSERT INTO invalidations VALUES (1, 1, '{"title": "O\u2019Connor"}', 'fr', 1, 1, '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00');
INSERT INTO letter_versions VALUES (1, 1, 'fr', 'fr', 'fr', '2026-12-10 09:30:00+00');
INSERT INTO limits VALUES ('fr', 1, 1);
INSERT INTO mail_slots VALUES ('fr', 1, 1);
INSERT INTO marks VALUES ('fr', '2026-12-10 09:30:00+00');
INSERT INTO messages VALUES (1, 'fr', 'fr', 1, 'fr', '\x00ff', 'queued', 1, '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00', 'fr');
INSERT INTO passes VALUES (1, 1, 'fr', 'fr', 1, 1, '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00');
INSERT INTO recipients VALUES (1, 'fr', 'fr', '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00');
INSERT INTO signatures VALUES (1, 1, 'confirmed', 1, 'fr', '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00', 1, 1, '2026-12-10 09:30:00+00');
INSERT INTO signers VALUES (1, 1, '\x00ff', 1, '\x00ff', '\x00ff', '\x00ff', 'fr', true, '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00', '2026-12-10 09:30:00+00', '\x00ff', '2026-12-10 09:30:00+00', 1);
INSERT INTO staff_sessions VALUES ('\x00ff', 1, '{"title": "O\u2019Connor"}', '2026-12-10 09:30:00+00');
INSERT INTO stories VALUES (1, 1, 'fr', 1, 1, 'fr');
INSERT INTO story_texts VALUES (1, 'fr', 'ready', 'fr', '{"title": "O\u2019Connor"}');
INSERT INTO suppressions VALUES ('fr', 'fr', '2026-12-10 09:30:00+00');
INSERT INTO tallies VALUES (1, 1, 'paper', 1, '2026-12-10', 'fr', '2026-12-10 09:30:00+00');
SELECT pg_catalog.setval('accounts_id_seq', 1, false);
SELECT pg_catalog.setval('campaigns_id_seq', 1, false);
SELECT pg_catalog.setval('cases_id_seq', 1, false);
SELECT pg_catalog.setval('consent_versions_id_seq', 1, false);
SELECT pg_catalog.setval('holds_id_seq', 1, false);
SELECT pg_catalog.setval('invalidations_id_seq', 1, false);
SELECT pg_catalog.setval('letter_versions_id_seq', 1, false);
SELECT pg_catalog.setval('messages_id_seq', 1, false);
SELECT pg_catalog.setval('passes_id_seq', 1, false);
SELECT pg_catalog.setval('recipients_id_seq', 1, false);
SELECT pg_catalog.setval('signers_id_seq', 1, false);
SELECT pg_catalog.setval('stories_id_seq', 1, false);
SELECT pg_catalog.setval('tallies_id_seq', 1, false);
ALTER TABLE ONLY alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY accounts
    ADD CONSTRAINT pk_accounts PRIMARY KEY (id);
ALTER TABLE ONLY campaign_texts
    ADD CONSTRAINT pk_campaign_texts PRIMARY KEY (campaign_id, locale);
ALTER TABLE ONLY campaigns
    ADD CONSTRAINT pk_campaigns PRIMARY KEY (id);
ALTER TABLE ONLY case_texts
    ADD CONSTRAINT pk_case_texts PRIMARY KEY (case_id, locale);
ALTER TABLE ONLY cases
    ADD CONSTRAINT pk_cases PRIMARY KEY (id);
ALTER TABLE ONLY consent_versions
    ADD CONSTRAINT pk_consent_versions PRIMARY KEY (id);
ALTER TABLE ONLY counts
    ADD CONSTRAINT pk_counts PRIMARY KEY (case_id, hour_at, shard);
ALTER TABLE ONLY holds
    ADD CONSTRAINT pk_holds PRIMARY KEY (id);
ALTER TABLE ONLY invalidations
    ADD CONSTRAINT pk_invalidations PRIMARY KEY (id);
ALTER TABLE ONLY letter_versions
    ADD CONSTRAINT pk_letter_versions PRIMARY KEY (id);
ALTER TABLE ONLY limits
    ADD CONSTRAINT pk_limits PRIMARY KEY (key);
ALTER TABLE ONLY mail_slots
    ADD CONSTRAINT pk_mail_slots PRIMARY KEY (mailbox_key, slot);
ALTER TABLE ONLY marks
    ADD CONSTRAINT pk_marks PRIMARY KEY (name);
ALTER TABLE ONLY messages
    ADD CONSTRAINT pk_messages PRIMARY KEY (id);
ALTER TABLE ONLY passes
    ADD CONSTRAINT pk_passes PRIMARY KEY (id);
ALTER TABLE ONLY recipients
    ADD CONSTRAINT pk_recipients PRIMARY KEY (id);
ALTER TABLE ONLY signatures
    ADD CONSTRAINT pk_signatures PRIMARY KEY (signer_id, case_id);
ALTER TABLE ONLY signers
    ADD CONSTRAINT pk_signers PRIMARY KEY (id);
ALTER TABLE ONLY staff_sessions
    ADD CONSTRAINT pk_staff_sessions PRIMARY KEY (token_hash);
ALTER TABLE ONLY stories
    ADD CONSTRAINT pk_stories PRIMARY KEY (id);
ALTER TABLE ONLY story_texts
    ADD CONSTRAINT pk_story_texts PRIMARY KEY (story_id, locale);
ALTER TABLE ONLY suppressions
    ADD CONSTRAINT pk_suppressions PRIMARY KEY (mailbox_key);
ALTER TABLE ONLY tallies
    ADD CONSTRAINT pk_tallies PRIMARY KEY (id);
ALTER TABLE ONLY accounts
    ADD CONSTRAINT uq_accounts_name UNIQUE (name);
ALTER TABLE ONLY campaigns
    ADD CONSTRAINT uq_campaigns_slug UNIQUE (slug);
ALTER TABLE ONLY cases
    ADD CONSTRAINT uq_cases_campaign_id_slug UNIQUE (campaign_id, slug);
ALTER TABLE ONLY consent_versions
    ADD CONSTRAINT uq_consent_versions_campaign_id_locale_sha256 UNIQUE (campaign_id, locale, sha256);
ALTER TABLE ONLY letter_versions
    ADD CONSTRAINT uq_letter_versions_case_id_locale_sha256 UNIQUE (case_id, locale, sha256);
ALTER TABLE ONLY messages
    ADD CONSTRAINT uq_messages_dedupe_key UNIQUE (dedupe_key);
ALTER TABLE ONLY passes
    ADD CONSTRAINT uq_passes_code_hash UNIQUE (code_hash);
ALTER TABLE ONLY recipients
    ADD CONSTRAINT uq_recipients_public_key UNIQUE (public_key);
ALTER TABLE ONLY signers
    ADD CONSTRAINT uq_signers_campaign_id_email_key_name_key UNIQUE (campaign_id, email_key, name_key);
ALTER TABLE ONLY signers
    ADD CONSTRAINT uq_signers_campaign_id_email_key_slot UNIQUE (campaign_id, email_key, slot);
ALTER TABLE ONLY stories
    ADD CONSTRAINT uq_stories_campaign_id_slug UNIQUE (campaign_id, slug);
CREATE INDEX ix_holds_campaign_id ON holds USING btree (campaign_id);
CREATE INDEX ix_invalidations_campaign_id ON invalidations USING btree (campaign_id);
CREATE INDEX ix_limits_ends_at ON limits USING btree (ends_at);
CREATE INDEX ix_mail_slots_ends_at ON mail_slots USING btree (ends_at);
CREATE INDEX ix_messages_signer_id ON messages USING btree (signer_id);
CREATE INDEX ix_messages_state_due_at ON messages USING btree (state, due_at);
CREATE INDEX ix_staff_sessions_account_id ON staff_sessions USING btree (account_id);
CREATE INDEX ix_tallies_case_id ON tallies USING btree (case_id);
ALTER TABLE ONLY campaign_texts
    ADD CONSTRAINT fk_campaign_texts_campaign_id_campaigns FOREIGN KEY (campaign_id) REFERENCES campaigns(id) ON DELETE CASCADE;
ALTER TABLE ONLY case_texts
    ADD CONSTRAINT fk_case_texts_case_id_cases FOREIGN KEY (case_id) REFERENCES cases(id) ON DELETE CASCADE;
ALTER TABLE ONLY case_texts
    ADD CONSTRAINT fk_case_texts_letter_version_id_letter_versions FOREIGN KEY (letter_version_id) REFERENCES letter_versions(id);
ALTER TABLE ONLY cases
    ADD CONSTRAINT fk_cases_campaign_id_campaigns FOREIGN KEY (campaign_id) REFERENCES campaigns(id) ON DELETE CASCADE;
ALTER TABLE ONLY consent_versions
    ADD CONSTRAINT fk_consent_versions_campaign_id_campaigns FOREIGN KEY (campaign_id) REFERENCES campaigns(id);
ALTER TABLE ONLY counts
    ADD CONSTRAINT fk_counts_case_id_cases FOREIGN KEY (case_id) REFERENCES cases(id);
ALTER TABLE ONLY holds
    ADD CONSTRAINT fk_holds_campaign_id_campaigns FOREIGN KEY (campaign_id) REFERENCES campaigns(id);
ALTER TABLE ONLY invalidations
    ADD CONSTRAINT fk_invalidations_campaign_id_campaigns FOREIGN KEY (campaign_id) REFERENCES campaigns(id);
ALTER TABLE ONLY letter_versions
    ADD CONSTRAINT fk_letter_versions_case_id_cases FOREIGN KEY (case_id) REFERENCES cases(id);
ALTER TABLE ONLY messages
    ADD CONSTRAINT fk_messages_signer_id_signers FOREIGN KEY (signer_id) REFERENCES signers(id);
ALTER TABLE ONLY passes
    ADD CONSTRAINT fk_passes_campaign_id_campaigns FOREIGN KEY (campaign_id) REFERENCES campaigns(id);
ALTER TABLE ONLY signatures
    ADD CONSTRAINT fk_signatures_case_id_cases FOREIGN KEY (case_id) REFERENCES cases(id);
ALTER TABLE ONLY signatures
    ADD CONSTRAINT fk_signatures_consent_version_id_consent_versions FOREIGN KEY (consent_version_id) REFERENCES consent_versions(id);
ALTER TABLE ONLY signatures
    ADD CONSTRAINT fk_signatures_invalidation_id_invalidations FOREIGN KEY (invalidation_id) REFERENCES invalidations(id);
ALTER TABLE ONLY signatures
    ADD CONSTRAINT fk_signatures_letter_version_id_letter_versions FOREIGN KEY (letter_version_id) REFERENCES letter_versions(id);
ALTER TABLE ONLY signatures
    ADD CONSTRAINT fk_signatures_signer_id_signers FOREIGN KEY (signer_id) REFERENCES signers(id);
ALTER TABLE ONLY signers
    ADD CONSTRAINT fk_signers_campaign_id_campaigns FOREIGN KEY (campaign_id) REFERENCES campaigns(id);
ALTER TABLE ONLY signers
    ADD CONSTRAINT fk_signers_pass_id_passes FOREIGN KEY (pass_id) REFERENCES passes(id);
ALTER TABLE ONLY staff_sessions
    ADD CONSTRAINT fk_staff_sessions_account_id_accounts FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
ALTER TABLE ONLY stories
    ADD CONSTRAINT fk_stories_campaign_id_campaigns FOREIGN KEY (campaign_id) REFERENCES campaigns(id) ON DELETE CASCADE;
ALTER TABLE ONLY story_texts
    ADD CONSTRAINT fk_story_texts_story_id_stories FOREIGN KEY (story_id) REFERENCES stories(id) ON DELETE CASCADE;
ALTER TABLE ONLY tallies
    ADD CONSTRAINT fk_tallies_case_id_cases FOREIGN KEY (case_id) REFERENCES cases(id);
