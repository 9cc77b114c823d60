"""The Buy vs Rent screen: from requests per day to what to pay for, and why."""
