"""HTTP, both ways: ``server`` brings requests to actors, ``client`` carries requests of actors out."""
