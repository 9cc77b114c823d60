"""What every screen is built of: the quiet screen, the section screen, its chrome and overlays."""
