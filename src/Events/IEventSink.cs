namespace FastXen.Events;

/// <summary>Receives a signal without content (an event channel's far end in the host). Called from any thread; must not block.</summary>
public interface IEventSink
{
    /// <summary>Something happened. Several signals may arrive as one.</summary>
    void Signal();
}

/// <summary>The processors of a domain, as event channels see them. Called from any thread; must not block.</summary>
public interface IVcpuSignal
{
    /// <summary>A vCPU has an event to look at: it leaves guest code, or wakes up. A vCPU that is gone or busy may ignore it.</summary>
    void Notify(int vcpu);
}
