"""What a maintainer runs from the checkout; none of it is in the wheel."""
