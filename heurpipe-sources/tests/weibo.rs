//! The Weibo client against a server that answers as scripted, and against the simulator.
