namespace FastXen.Smp;

/// <summary>What a host thread has done so far. A moment's view.</summary>
/// <param name="Index">Its number.</param>
/// <param name="BusyTime">How long it ran vCPUs.</param>
/// <param name="Switches">How often it went from one vCPU, or from idling, to another.</param>
/// <param name="Steals">How many of them waited in another host thread's queue.</param>
/// <param name="Parks">How often it went to sleep.</param>
/// <param name="Polls">How often work came while it looked for it, so that it did not have to sleep.</param>
/// <param name="Idle">Whether it has nothing to run.</param>
public readonly record struct HostThreadStatistics(int Index, TimeSpan BusyTime, long Switches, long Steals, long Parks, long Polls, bool Idle);
