"""Engine.IO and Socket.IO transport: sessions, packets and send queues.

Dependency rule: no import of the gateway or storage.
"""
