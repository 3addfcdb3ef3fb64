"""Pain points: what customers write about, how often, how long and how unhappily; what rises; which ways they go."""
