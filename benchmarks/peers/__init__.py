"""What a user would pick instead, each a Streamlit script of its own around the same page."""
