"""What a net is: its parts, wiring, solved sizes, plan, run, surgery and file."""
