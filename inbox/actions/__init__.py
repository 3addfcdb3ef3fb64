"""All writes, one file a verb group. Views, API, rules and the bot call these and nothing else."""
