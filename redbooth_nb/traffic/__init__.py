"""What went over the wire: each request to Redbooth and its answer, to look at and to share, without a secret."""
