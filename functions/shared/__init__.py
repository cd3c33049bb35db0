"""What several functions use: settings, storage, the reader of tables and messages to people."""
