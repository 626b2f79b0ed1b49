import java.util.Collection;
import java.util.Collections;

import org.apache.cassandra.db.Mutation;
import org.apache.cassandra.db.partitions.Partition;
import org.apache.cassandra.db.partitions.PartitionUpdate;
import org.apache.cassandra.schema.Schema;
import org.apache.cassandra.triggers.ITrigger;

/** Notes the key of every write to a table with one int as its key in shop.audit. */
public class AuditTrigger implements ITrigger
{
    @Override
    public Collection<Mutation> augment(Partition update)
    {
        PartitionUpdate.SimpleBuilder audit =
            PartitionUpdate.simpleBuilder(Schema.instance.getTableMetadata("shop", "audit"), update.partitionKey());
        audit.row().add("written", true);
        return Collections.singletonList(audit.buildAsMutation());
    }
}
