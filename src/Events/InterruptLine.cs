namespace FastXen.Events;

/// <summary>Receives level or edge signals (an IOSAPIC input, an event channel). May be called from any thread; must not block.</summary>
public interface ILineSink
{
    /// <summary>Line <paramref name="line"/> is now at <paramref name="level"/>.</summary>
    void SetLine(int line, bool level);
}

/// <summary>Receives interrupt messages for processors (a local SAPIC). May be called from any thread; must not block.</summary>
public interface IInterruptSink
{
    /// <summary>
    /// Posts an interrupt message (manual volume 2, 5.8): <paramref name="id"/> and <paramref name="eid"/> name the processor (CR.LID),
    /// <paramref name="deliveryMode"/> 0 INT, 2 PMI, 4 NMI, 5 INIT, 7 ExtINT.
    /// </summary>
    void Post(int id, int eid, int deliveryMode, byte vector);
}

/// <summary>A wire from a device to an input of an interrupt controller.</summary>
public sealed class InterruptLine(ILineSink sink, int line)
{
    /// <summary>Number of the input.</summary>
    public int Line => line;

    /// <summary>Drives the wire.</summary>
    public void Set(bool level) => sink.SetLine(line, level);
}
