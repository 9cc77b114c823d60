"""The sections: each composes physics into what one screen shows."""
