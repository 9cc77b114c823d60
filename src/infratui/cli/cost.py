"""`infratui cost`: buy or rent, breakevens, levers and what moves the decision."""

from __future__ import annotations

import click

from .common import Number, Whole
from .section import named, section_command

command = section_command(
    "cost",
    "Buy or rent: what the demand takes, what each option costs, and which to take.",
    (
        click.Option(["--requests"], type=Whole(0, 10**13), help="Requests per day."),
        click.Option(["--hours"], type=Number(), help="Hours of service per day."),
        click.Option(["--growth"], type=Number(), metavar="PCT", help="Growth of the demand per month, percent."),
        click.Option(["--growth-to"], type=Whole(1, 10**13), help="Requests per day that it grows to instead."),
        click.Option(["--months"], type=Whole(1, 120), help="Months that it grows over."),
        click.Option(["--compliance"], is_flag=True, help="Data must stay on premises."),
    ),
    named(
        requests="requests_per_day",
        hours="hours_per_day",
        compliance="compliance",
        growth="growth_pct",
        growth_to="growth_to",
        months="growth_months",
    ),
)
