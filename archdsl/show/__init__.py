"""What people are shown of a network: the summary as text and as HTML, and a spec that shows itself in a notebook."""
