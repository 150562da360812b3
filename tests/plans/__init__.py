"""Plans, through the public door: proposed, asked about, carried out, stopped and gone on with."""
