"""The demo: an organisation with 60 days of believable traffic and three incidents to be found."""
