using System.Text;
using FastXen.Loader.Hosting;
using FastXen.Platform.Uart;

namespace FastXen.Terminal;

/// <summary>
/// The terminal (or what standard input and output are redirected to) as the console of several domains: each line has its domain's name in front
/// (<see cref="SharedLines"/>), what is typed goes to one of them, the first at first; the escape key and <c>n</c> goes to the next.
/// </summary>
internal sealed class SharedTerminal
{
    private readonly RawTerminal? _terminal = RawTerminal.TryEnter();
    private readonly EscapeKey _escape;
    private readonly SharedLines _lines;
    private readonly Lock _lock = new();
    private readonly List<Place> _places = [];
    private Place? _front;
    private int _expected;
    private bool _isRead;

    /// <summary>A terminal for domains of these names, of whose configs the first one's <paramref name="escape"/> key counts.</summary>
    public SharedTerminal(IReadOnlyList<string> names, byte? escape)
    {
        _escape = new EscapeKey(_terminal is null ? null : escape);
        _lines = new SharedLines(static bytes => Libc.WriteAll(Libc.StandardOutput, bytes, patience: -1), _terminal is null ? "\n" : "\r\n");
        foreach (string name in names) _lines.Add(name);
        _expected = names.Count;
        if (_terminal is not null && escape is not null) Tell($"keys go to {names[0]}; {_escape.Name} n: to the next, {_escape.Name} q leaves all, {_escape.Name} ? helps");
    }

    /// <summary>The console of one more domain.</summary>
    public ICharacterBackend Add(HostedDomain domain)
    {
        Place place = new(this, domain, _lines.Add(domain.Name));
        lock (_lock)
        {
            _expected--;
            _places.Add(place);
            if (_places.Count == 1) Front(place);
        }
        return place;
    }

    private void Front(Place? place)
    {
        _front = place;
        _lines.Front = place?.Source;
    }

    private Place? Typist
    {
        get { lock (_lock) return _front; }
    }

    // On the thread of the first domain's input.
    private void ReadInput() => TypedInput.Read(_escape, keys => Typist?.Pump.Send(keys), Obey);

    private void Obey(EscapeCommand command)
    {
        string key = _escape.Name;
        switch (command)
        {
            case EscapeCommand.Leave:
                lock (_lock)
                {
                    foreach (Place place in _places) place.Domain.Destroy();
                }
                break;
            case EscapeCommand.Next:
                lock (_lock)
                {
                    if (_front is not null) Front(_places[(_places.IndexOf(_front) + 1) % _places.Count]);
                }
                Tell($"keys go to {Typist?.Domain.Name}");
                break;
            case EscapeCommand.Status:
                Tell(Typist?.Domain.Domain.Status ?? "");
                break;
            case EscapeCommand.Help:
                Tell($"{key} n: keys go to the next guest   {key} q: leave (all guests are lost)   {key} s: status   {key} {key}: send {key}");
                break;
        }
    }

    private static void Tell(string text) => Libc.WriteAll(Libc.StandardOutput, Encoding.UTF8.GetBytes($"\r\n[fastxen: {text}]\r\n"), patience: -1);

    private void Remove(Place place)
    {
        bool isLast;
        lock (_lock)
        {
            _places.Remove(place);
            _lines.End(place.Source);
            if (_front == place) Front(_places.FirstOrDefault());
            isLast = _places.Count == 0 && _expected <= 0;
        }
        if (isLast) _terminal?.Dispose();
    }

    // The console of one domain.
    private sealed class Place(SharedTerminal terminal, HostedDomain domain, SharedLines.Source source) : ICharacterBackend, IDisposable
    {
        public HostedDomain Domain => domain;

        public SharedLines.Source Source => source;

        public InputPump Pump { get; } = new(e => domain.Fail("the console's input", e));

        public void Write(ReadOnlySpan<byte> bytes) => terminal._lines.Write(source, bytes);

        // One of them has the thread that reads for all.
        public void Connect(ICharacterInput input)
        {
            if (!Interlocked.Exchange(ref terminal._isRead, true)) Pump.Connect(input, terminal.ReadInput);
            else Pump.Name(input);
        }

        public void Dispose()
        {
            Pump.Stop();
            terminal.Remove(this);
        }
    }
}
