namespace FastXen.Xen.Memory;

/// <summary>
/// Frames of other domains that a domain has mapped, as its devices may reach them: with the rights of the mappings, and for as long as there are any. Ending the last
/// mapping waits for devices that are at work on the frame; devices hold it for one turn of theirs only. Any thread.
/// </summary>
internal sealed unsafe class DeviceReach
{
    private readonly object _gate = new();
    private readonly Dictionary<nint, Reach> _frames = [];

    private sealed class Reach
    {
        public int Mappings, WritableMappings, Readers, Writers;
    }

    /// <summary>A frame was mapped. It is pinned while it is.</summary>
    public void Add(byte* host, bool writable)
    {
        lock (_gate)
        {
            if (!_frames.TryGetValue((nint)host, out Reach? frame))
                _frames.Add((nint)host, frame = new Reach());
            frame.Mappings++;
            frame.WritableMappings += writable ? 1 : 0;
        }
    }

    /// <summary>A mapping is about to end: when this returns no device uses the frame by it.</summary>
    public void Remove(byte* host, bool writable)
    {
        lock (_gate)
        {
            // One that was there before the domain had devices is not known.
            if (!_frames.TryGetValue((nint)host, out Reach? frame) || frame.Mappings == 0 || writable && frame.WritableMappings == 0)
                return;
            frame.Mappings--;
            frame.WritableMappings -= writable ? 1 : 0;
            while (frame.WritableMappings == 0 && frame.Writers != 0 || frame.Mappings == 0 && frame.Readers != 0)
                Monitor.Wait(_gate);
            if (frame.Mappings == 0 && frame.Readers == 0 && frame.Writers == 0 && _frames.GetValueOrDefault((nint)host) == frame)
                _frames.Remove((nint)host);
        }
    }

    /// <summary>A device begins to use a frame; false where the domain has no such mapping.</summary>
    public bool TryBegin(nint host, bool write)
    {
        lock (_gate)
        {
            if (!_frames.TryGetValue(host, out Reach? frame) || (write ? frame.WritableMappings : frame.Mappings) == 0)
                return false;
            (write ? ref frame.Writers : ref frame.Readers)++;
            return true;
        }
    }

    /// <summary>Undoes one <see cref="TryBegin"/>.</summary>
    public void End(nint host, bool write)
    {
        lock (_gate)
        {
            Reach frame = _frames[host];
            (write ? ref frame.Writers : ref frame.Readers)--;
            Monitor.PulseAll(_gate);
        }
    }
}
