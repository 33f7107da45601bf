"""Games of other projects behind our contract: played live, watched, replayed and rated as Spaces."""
