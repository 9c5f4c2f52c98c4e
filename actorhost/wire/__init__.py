"""What travels between processes, as pure values: subjects, envelopes and faults; no I/O."""
