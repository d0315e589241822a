-- The bank's five tables, as the source of changes: PostgreSQL 12 or later, wal_level = logical. Run at every start by the connection's
-- `setup`, so every statement may be run again. Money is DECIMAL, times are TIMESTAMPTZ, what has no fixed shape is JSONB.

CREATE TABLE IF NOT EXISTS customers (
  id                 VARCHAR(255) PRIMARY KEY,
  first_name         VARCHAR(255) NOT NULL,
  last_name          VARCHAR(255) NOT NULL,
  email              VARCHAR(255) NOT NULL UNIQUE,
  phone              VARCHAR(50),
  date_of_birth      DATE,
  ssn                VARCHAR(11),
  address            JSONB,
  tier               VARCHAR(50) DEFAULT 'basic',
  risk_score         DECIMAL(10,2) DEFAULT 0,
  kyc_status         VARCHAR(50) DEFAULT 'pending',
  is_active          BOOLEAN DEFAULT true,
  credit_score       INTEGER,
  annual_income      DECIMAL(15,2),
  employment_status  VARCHAR(100),
  onboarding_channel VARCHAR(50),
  referral_code      VARCHAR(50),
  preferences        JSONB DEFAULT '{}',
  tags               JSONB DEFAULT '[]',
  created_at         TIMESTAMPTZ DEFAULT now(),
  updated_at         TIMESTAMPTZ DEFAULT now(),
  version            INTEGER DEFAULT 1
);

CREATE TABLE IF NOT EXISTS accounts (
  id                   VARCHAR(255) PRIMARY KEY,
  customer_id          VARCHAR(255) REFERENCES customers (id),
  account_number       VARCHAR(255) NOT NULL UNIQUE,
  account_type         VARCHAR(50) NOT NULL,
  currency             VARCHAR(3) DEFAULT 'USD',
  balance              DECIMAL(15,2) DEFAULT 0,
  available_balance    DECIMAL(15,2) DEFAULT 0,
  credit_limit         DECIMAL(15,2),
  interest_rate        DECIMAL(5,4),
  is_active            BOOLEAN DEFAULT true,
  is_frozen            BOOLEAN DEFAULT false,
  overdraft_protection BOOLEAN DEFAULT false,
  minimum_balance      DECIMAL(15,2) DEFAULT 0,
  monthly_fee          DECIMAL(10,2) DEFAULT 0,
  branch_code          VARCHAR(20),
  routing_number       VARCHAR(20),
  created_at           TIMESTAMPTZ DEFAULT now(),
  updated_at           TIMESTAMPTZ DEFAULT now(),
  version              INTEGER DEFAULT 1
);

CREATE TABLE IF NOT EXISTS merchants (
  id            VARCHAR(255) PRIMARY KEY,
  name          VARCHAR(255) NOT NULL,
  business_type VARCHAR(100),
  mcc_code      VARCHAR(10),
  address       JSONB,
  phone         VARCHAR(50),
  website       VARCHAR(255),
  tax_id        VARCHAR(50),
  is_active     BOOLEAN DEFAULT true,
  created_at    TIMESTAMPTZ DEFAULT now(),
  updated_at    TIMESTAMPTZ DEFAULT now(),
  version       INTEGER DEFAULT 1
);

CREATE TABLE IF NOT EXISTS transactions (
  id                   VARCHAR(255) PRIMARY KEY,
  transaction_type     VARCHAR(50) NOT NULL,
  status               VARCHAR(50) DEFAULT 'pending',
  from_account_id      VARCHAR(255),
  to_account_id        VARCHAR(255),
  customer_id          VARCHAR(255) REFERENCES customers (id),
  amount               DECIMAL(15,2) NOT NULL,
  currency             VARCHAR(3) DEFAULT 'USD',
  exchange_rate        DECIMAL(10,6),
  fee_amount           DECIMAL(10,2) DEFAULT 0,
  description          TEXT,
  merchant_id          VARCHAR(255),
  reference_number     VARCHAR(255) UNIQUE,
  authorization_code   VARCHAR(50),
  transaction_location JSONB,
  device_fingerprint   VARCHAR(255),
  ip_address           INET,
  user_agent           TEXT,
  risk_score           DECIMAL(5,2) DEFAULT 0,
  risk_level           VARCHAR(20) DEFAULT 'low',
  compliance_flags     JSONB DEFAULT '[]',
  processing_time_ms   INTEGER,
  network              VARCHAR(50),
  card_last_four       VARCHAR(4),
  tags                 JSONB DEFAULT '[]',
  metadata             JSONB DEFAULT '{}',
  created_at           TIMESTAMPTZ DEFAULT now(),
  updated_at           TIMESTAMPTZ DEFAULT now(),
  version              INTEGER DEFAULT 1
);

CREATE TABLE IF NOT EXISTS customer_sessions (
  id                 VARCHAR(255) PRIMARY KEY,
  customer_id        VARCHAR(255) REFERENCES customers (id),
  session_id         VARCHAR(255) NOT NULL,
  channel            VARCHAR(50),
  device_type        VARCHAR(50),
  ip_address         INET,
  location           JSONB,
  started_at         TIMESTAMPTZ,
  ended_at           TIMESTAMPTZ,
  actions_count      INTEGER DEFAULT 0,
  transactions_count INTEGER DEFAULT 0,
  created_at         TIMESTAMPTZ DEFAULT now(),
  updated_at         TIMESTAMPTZ DEFAULT now(),
  version            INTEGER DEFAULT 1
);

-- Updates and deletes of these tell the whole row as it was; those of merchants and sessions tell the key. Only where it is not so
-- already: changing it locks the table.
DO $$
DECLARE name TEXT;
BEGIN
  FOR name IN
    SELECT c.relname FROM pg_class c
    WHERE c.oid IN ('transactions'::regclass, 'customers'::regclass, 'accounts'::regclass) AND c.relreplident <> 'f'
  LOOP
    EXECUTE format('ALTER TABLE %I REPLICA IDENTITY FULL', name);
  END LOOP;
END $$;
