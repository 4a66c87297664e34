"""What the person sees and clicks: thin views, one file each, over objects that work without them."""
