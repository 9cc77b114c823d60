"""Speed as a user feels it: measured from outside, beside a bare Textual app in the same run."""
