"""Engine.IO and Socket.IO transport: sessions, packets and send queues.

Imports neither the gateway nor storage."""
