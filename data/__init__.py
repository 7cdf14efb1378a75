"""What is stored, and how it gets in and out. Never imports streamlit or folium."""
