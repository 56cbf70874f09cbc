"""What a stored sweep says, in six rooms: frames, answers, charts, report, page, exchange."""
