"""What several functions use: errors, settings, storage, the CSV reader and messages to people."""
