"""Real servers for the tests: Dovecot, aiosmtpd, PostgreSQL, a scripted IMAP server and a cutting TCP proxy."""
