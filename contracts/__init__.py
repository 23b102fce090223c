"""The wire: every command, event, task and error of Ophør, with the profiles and the topology that follow from them.

Nothing here opens a connection or reads a clock. Names of services, methods and events are wire names: they are
added, never renamed silently.
"""
