-- What is kept. The same statements run on SQLite and on PostgreSQL, so there are only text and bigint; hashes are hexadecimal text, and
-- times are milliseconds since 1970-01-01 UTC.

-- The version of this schema, and where the audit's chain begins and ends.
create table if not exists meta (
    name text primary key,
    value text not null
);

-- One row for each thing that happened to a call: 'done' for a call that only read or was refused; for one that changes the world 'intent'
-- before it and 'outcome' after it. hash covers the row and the hash of the row before it, so no row can be changed, removed or moved unnoticed.
create table if not exists audit (
    seq bigint primary key,
    at bigint not null,
    phase text not null,
    call_id text not null,         -- the correlation id, always ours; intent and outcome share it
    subject text not null,
    client text,
    address text,
    surface text not null,
    tool text not null,
    level text not null,
    arguments text,                -- JSON, secrets replaced
    outcome text not null,         -- intent, ok, failed, cancelled, refused: why
    detail text,                   -- the sentence that the caller got
    duration_us bigint,
    openai_subject text,           -- what ChatGPT says of its user and conversation; to look things up by, never to decide by
    openai_session text,
    hash text not null,
    trace_id text                  -- of the caller's trace, or of the one that we export; callers choose and repeat it
);
create index if not exists audit_at on audit (at);
-- Indexes whose newest entries lie together: they cost an append little. Subjects and tools are spread over all of theirs.
create index if not exists audit_call on audit (call_id);
create index if not exists audit_outcome on audit (outcome, seq);
create index if not exists audit_surface on audit (surface, seq);

-- The end of the chain. One row; whoever appends holds it, so replicas append one after the other.
create table if not exists audit_head (
    id bigint primary key,
    seq bigint not null,
    hash text not null
);

-- A budget's row is held while it is counted, so that two replicas never count at once.
create table if not exists budgets (
    name text primary key,
    touched bigint not null
);
create table if not exists budget_uses (
    name text not null,
    at bigint not null,            -- when the slice of time began that the uses fall into
    uses bigint not null,
    primary key (name, at)
);

-- Tokens that a preview handed out. Redeeming one deletes it, so it works once.
create table if not exists confirmations (
    token_hash text primary key,
    binding text not null,         -- the hash of caller, tool and arguments
    expires bigint not null
);

-- What families keep beside it, such as carts: names are hashes of what a family calls an entry, values base64.
create table if not exists cache (
    name text primary key,
    value text not null,
    expires bigint not null,       -- when it goes, unless it is asked for before
    absolute bigint not null,      -- when it goes in any case
    sliding bigint not null        -- how long it stays after it was asked for; 0 does not count
);
create index if not exists cache_expires on cache (expires);

-- Whose turn it is to change something that replicas share. A turn that nobody gave back ends by itself.
create table if not exists turns (
    name text primary key,
    owner text not null,
    expires bigint not null
);

-- MCP sessions that their clients ended: their signed ids would open them again, here or at another replica.
create table if not exists ended_sessions (
    session_id text primary key,   -- the random part of it
    expires bigint not null        -- when the id is too old anyhow
);
create index if not exists ended_sessions_expires on ended_sessions (expires);

-- Calls that wait for a person, or that a person has decided.
create table if not exists approvals (
    id text primary key,           -- the hash of the token that the caller got
    binding text not null,         -- the hash of caller, tool and arguments
    tool text not null,
    level text not null,
    effect text not null,
    subject text not null,
    client text,
    address text,
    surface text not null,
    arguments text not null,       -- JSON, secrets replaced
    preview text,                  -- JSON of what the tool says that it would do, secrets replaced
    call_id text not null,         -- the correlation id of the call that asked
    at bigint not null,
    expires bigint not null,
    status text not null,          -- waiting, approved, denied
    decided_by text
);

-- What the authorization server gave out. Codes, tokens and secrets are kept as hashes only, so a copy of these tables opens nothing.

-- Clients that registered themselves. One that has no grant may make room for another; one that has is kept.
create table if not exists oauth_clients (
    client_id text primary key,
    metadata text not null,        -- JSON, as it was answered
    secret_hash text,
    created bigint not null
);

-- Questions that a browser was shown and has not answered yet. Only that browser may, and once.
create table if not exists oauth_tickets (
    ticket_hash text primary key,
    browser_hash text not null,
    address text not null,         -- of the browser; one address holds so many open and no more
    request text not null,         -- JSON: what was asked
    expires bigint not null
);
create index if not exists oauth_tickets_address on oauth_tickets (address);

-- What a person allowed a client. Revoking one deletes it, and with it every code and token of it is worth nothing.
create table if not exists oauth_grants (
    grant_id text primary key,
    client_id text not null,
    subject text not null,
    scope text not null,
    person text,                   -- JSON: name and address, when the client may know them
    credential text,               -- with what the person signed in; while it is not in the settings any more, nothing new is given out
    expires bigint not null        -- when its last token has
);
create index if not exists oauth_grants_client on oauth_grants (client_id);

-- A used one is kept for a while, to notice that somebody uses it again.
create table if not exists oauth_codes (
    code_hash text primary key,
    grant_id text not null,
    client_id text not null,
    redirect_uri text not null,
    challenge text,
    expires bigint not null,
    used bigint
);
create table if not exists oauth_refresh_tokens (
    token_hash text primary key,
    grant_id text not null,
    expires bigint not null,
    used bigint
);

-- Our own keys for signing; the private halves are encrypted with a key that is not in the store.
create table if not exists oauth_keys (
    kid text primary key,
    private_key text not null,
    created bigint not null
);

-- Assertions of clients that were used.
create table if not exists oauth_assertions (
    assertion_hash text primary key,
    expires bigint not null
);

-- Other MCP servers behind this one. How each is reached is encrypted with a key that is not in the store.
create table if not exists hub_servers (
    id bigint primary key,
    name text not null,
    definition text not null,      -- JSON: what is no secret
    sealed text not null,          -- arguments, variables, address, credentials
    wanted bigint not null,        -- 1 when it should run
    created bigint not null,
    updated bigint not null,
    version bigint not null        -- the number of its last change; replicas look for higher ones
);
create unique index if not exists hub_servers_name on hub_servers (name);

-- What each of them listed last.
create table if not exists hub_lists (
    server_id bigint primary key,
    lists text not null            -- JSON
);

-- Definitions of their tools that were approved: with the registration, or later by a person.
create table if not exists hub_approved (
    server_id bigint not null,
    tool text not null,            -- the name that the server gave it
    generation bigint not null,    -- of the server's registration
    hash text not null,
    definition text not null,      -- JSON
    primary key (server_id, tool)
);

-- What an operator's sign-in at a server gave: tokens, and what renews them, encrypted.
create table if not exists hub_tokens (
    server_id bigint primary key,
    sealed text not null,
    version bigint not null        -- no other tokens ever have it; only who has read it may replace them
);

-- Sign-ins at servers that were begun in a browser.
create table if not exists hub_sign_ins (
    state_hash text primary key,
    sealed text not null,
    expires bigint not null
);

-- What callers gave for themselves at other servers, encrypted: each is good for that server's address and that caller.
create table if not exists hub_caller_secrets (
    server_id bigint not null,
    subject text not null,         -- as the audit log names callers
    sealed text not null,
    version bigint not null,       -- no other secret ever has it
    stored bigint not null,
    primary key (server_id, subject)
);
create index if not exists hub_caller_secrets_subject on hub_caller_secrets (subject);

-- API keys that were created while the server ran. Only their hashes are kept.
create table if not exists api_keys (
    id bigint primary key,
    name text not null,
    key_hash text not null,
    scopes text not null,
    created bigint not null,
    expires bigint,
    last_used bigint
);
create unique index if not exists api_keys_name on api_keys (name);

-- What calls there were, how long they took, and what the processes used, each minute and each ten minutes of each replica.
create table if not exists metrics (
    seconds bigint not null,       -- the length of the period
    at bigint not null,            -- when it began
    replica text not null,         -- another one with each start
    figures text not null,         -- JSON
    primary key (seconds, at, replica)
);
