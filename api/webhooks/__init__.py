"""Outgoing webhooks, signed as Standard Webhooks: what they tell, who is told, and how it gets there.

events     the public names, and which lines of the log they come from
follower   reads the log and writes deliveries
payload    what a delivery says
sending    one signed request, without the database
delivery   claims what is due, keeps many requests under way, records what came of them
"""
