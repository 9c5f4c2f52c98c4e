"""Providers in other processes: what stands for one in its host, and what runs it over there.

In the host: ``child`` has a process ``spawned`` and looks after it, ``lattice`` finds one that somebody
else started; both are a ``remote``, which carries the calls. Over there: ``process`` runs the provider,
for the host it is ``tied`` to or, ``untied``, for any host. Between them: ``channel`` and ``messages``.
"""
