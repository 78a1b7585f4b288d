using FastXen.Events;

namespace FastXen.Platform.Tests.Devices;

/// <summary>Remembers the interrupt messages that were posted.</summary>
internal sealed class RecordingSink : IInterruptSink
{
    private readonly Lock gate = new();
    private readonly List<(int Id, int Eid, int Mode, byte Vector)> posted = [];

    public void Post(int id, int eid, int deliveryMode, byte vector)
    {
        lock (gate)
            posted.Add((id, eid, deliveryMode, vector));
    }

    /// <summary>What was posted since the last call.</summary>
    public (int Id, int Eid, int Mode, byte Vector)[] Take()
    {
        lock (gate)
        {
            (int, int, int, byte)[] all = [.. posted];
            posted.Clear();
            return all;
        }
    }
}

/// <summary>Remembers the levels of lines.</summary>
internal sealed class RecordingLines : ILineSink
{
    private readonly bool[] levels = new bool[32];

    public bool this[int line] => Volatile.Read(ref levels[line]);

    public void SetLine(int line, bool level) => Volatile.Write(ref levels[line], level);
}
