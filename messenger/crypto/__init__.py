"""Identity, key agreement, key schedule, record cipher, and the vault process that owns the RSA keys."""
