"""From a vendor API or a folder of files to checked, versioned rows in raw_<source>."""
