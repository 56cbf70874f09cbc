"""Files of a user's own: any table, any array, from bytes to prepared parts."""
