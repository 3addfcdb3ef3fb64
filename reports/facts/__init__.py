"""Facts: what each ticket, response, chat and answer came to, told by the log and kept up to it.

`loading` reads all that is known of some tickets, `calculate` is a pure function of it, `storing` keeps the result.
`follower` does so for what has just changed, `rebuilding` for all there is; both come to the same rows.
"""
