"""What every other part stands on. Imports nothing of ours outside this folder."""
