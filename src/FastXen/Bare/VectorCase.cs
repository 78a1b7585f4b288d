namespace FastXen.Bare;

/// <summary>One instruction vector: code, the state before and what is known of the state after.</summary>
internal sealed class VectorCase
{
    public required string Id { get; init; }
    public required byte[] Code { get; init; }

    /// <summary>Addresses at which execution ends.</summary>
    public required ulong[] Stops { get; init; }

    /// <summary>State before.</summary>
    public required ProcessorImage Before { get; init; }

    /// <summary>Data block before.</summary>
    public required byte[] DataBefore { get; init; }

    /// <summary>State after; its IP is the stop to reach.</summary>
    public required ProcessorImage After { get; init; }

    /// <summary>Data block after.</summary>
    public required byte[] DataAfter { get; init; }

    /// <summary>Stacked registers past the frame before that the case lists: the others there are undefined.</summary>
    public required IReadOnlySet<int> ListedGeneral { get; init; }

    /// <summary>True where BSPSTORE after is known.</summary>
    public required bool ListsBspStore { get; init; }
}
